(async (script, main, parts) => {
  const root = document.documentElement;
  const show = (state) => root.setAttribute("data-start", state);
  const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
  const shown = new Promise((done) => addEventListener("pageshow", done));
  const offerRetry = () => shown.then(() => {
    const notice = document.querySelector(".start-notice:not(:has(button))");
    if (!notice) return;
    const button = document.createElement("button");
    button.className = "button";
    button.textContent = notice.dataset.retry;
    button.onclick = () => location.reload();
    notice.append(button);
  });
  const compile = (file) => {
    const module = WebAssembly.compileStreaming(fetch(file));
    module.catch(() => {});
    return module;
  };
  show("begun");
  const timers = [
    setTimeout(() => show("loading"), 1500),
    setTimeout(() => { show("slow"); offerRetry(); }, 20000),
  ];
  try {
    let module = compile(main);
    const begun = new Map(parts.map((file) => [new URL(file, location).href, compile(file)]));
    window.takeBegunModule = (address) => {
      const module = begun.get(address);
      begun.delete(address);
      return module;
    };
    const load = async (pauses) => {
      try {
        return await Promise.all([import(script), module]);
      } catch (error) {
        if (!pauses.length) throw error;
        await sleep(pauses.shift());
        module = compile(main);
        return load(pauses);
      }
    };
    const [app, compiled] = await load([500, 2000]);
    await shown;
    await app.default({ module_or_path: compiled });
    app.hydrate();
    show("done");
    document.querySelector(".start-notice").remove();
  } catch (error) {
    console.error(error);
    show("failed");
    offerRetry();
  } finally {
    timers.forEach(clearTimeout);
  }
})
