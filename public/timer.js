// A timer in a worker: browsers slow down the timers of hidden pages, but not
// those of workers. The page posts a delay in milliseconds, which replaces the
// previous one.
let timer = 0;
onmessage = ({ data }) => {
  clearTimeout(timer);
  timer = setTimeout(() => postMessage(0), data);
};
