// Follows every link of the site from its first page, in a frame of so many pixels, and tells of each page
// what a test wants to know.
async (width) => {
  const frame = document.querySelector("iframe");
  const open = (name) => new Promise((opened) => { frame.onload = opened; frame.src = "/" + name; });
  frame.style.width = width + "px";
  const seen = {};
  for (const queue = ["index.html"]; queue.length > 0;) {
    const name = queue.shift();
    if (name in seen) continue;
    await open(name);
    seen[name] = inspect(frame.contentDocument, width);
    for (const link of seen[name].links.map((link) => new URL(link))) {
      if (link.origin === location.origin && link.pathname.endsWith(".html")) queue.push(link.pathname.slice(1));
    }
  }
  return seen;

  function inspect(document, width) {
    const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + " " + JSON.stringify(e.textContent.trim().slice(0, 40));
    const visible = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });

    const scrolls = (e) => e !== null && (e !== document.body && getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
    const wide = [...document.body.querySelectorAll("*")].filter((e) =>
      visible(e) && e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement));
    const overflow = wide.map(name);
    if (document.documentElement.scrollWidth > width) overflow.push("the page: " + document.documentElement.scrollWidth + " pixels");

    // The ratio of two colors by WCAG 2.2.
    const channels = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
    const behind = (e) => {
      for (; e; e = e.parentElement) {
        const color = channels(getComputedStyle(e).backgroundColor);
        if (color[3] !== 0) return color;
      }
      return [255, 255, 255];
    };
    const faint = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const e = texts.currentNode.parentElement;
      if (texts.currentNode.data.trim() === "" || !visible(e)) continue;
      const [ink, paper] = [channels(getComputedStyle(e).color), behind(e)].map(luminance);
      const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
      if (ratio < 4.5) faint.add(e.className + " " + name(e) + " " + ratio.toFixed(2));
    }

    return {
      overflow, faint: [...faint],
      links: [...document.querySelectorAll("a[href]")].map((a) => a.href),
      ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
      broken: [...document.images].filter((i) => i.naturalWidth === 0 || i.alt === "").map((i) => i.src),
    };
  }
}
