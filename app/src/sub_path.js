(() => {
  const { path, heading, message } = document.currentScript.dataset;
  const here = location.pathname;

  const explain = () => {
    const texts = [["h1", heading], ["p", message]].map(([name, text]) => {
      const element = document.createElement(name);
      element.textContent = text;
      return element;
    });
    const main = document.createElement("main");
    main.setAttribute("role", "alert");
    main.append(...texts);
    document.title = heading;
    document.body.replaceChildren(main);
  };
  const explainWhenRead = () => {
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", explain);
    else explain();
  };

  // A proxy that removes the path asks the server for another one than the browser shows.
  if (here !== path && (path === "/" || here.endsWith(path))) explainWhenRead();
  // A proxy that keeps the path gets the page for unknown addresses, whose files it does not have.
  else if (!/^\/(ride\/[^/]+\/?|solo\/?)?$/.test(here)) {
    addEventListener("error", ({ target }) => target.id === "style" && explainWhenRead(), true);
  }
})();
