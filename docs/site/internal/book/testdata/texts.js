// The texts of the picture that is open which leave it, or lie over one another.
(() => {
  const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
  const texts = [...document.querySelectorAll("text")].map((e) => ({ text: e.textContent, at: e.getBoundingClientRect() }));
  const paper = document.documentElement.getBoundingClientRect();
  const wrong = texts.filter((t) => !inside(t.at, paper)).map((t) => "beyond the edge: " + t.text);
  texts.forEach((a, i) => texts.slice(i + 1).filter((b) => over(a.at, b.at)).forEach((b) => wrong.push(a.text + " over " + b.text)));
  return { texts: texts.length, wrong };
})()
