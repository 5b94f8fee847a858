// An alarm clock off the page's thread: timers of a hidden page are held back
// to one a second or worse, those of a worker are not. The page sends the
// milliseconds to wait; a new number replaces the last.
let timer = 0;
onmessage = ({ data }) => {
  clearTimeout(timer);
  timer = setTimeout(() => postMessage(0), data);
};
