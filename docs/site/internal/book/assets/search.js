// The search box. Its index is loaded when it is first used.
(() => {
  const root = document.currentScript.dataset.root;
  const box = document.querySelector("search");
  const input = box.querySelector("input");
  const found = box.querySelector(".found");
  const status = found.querySelector("p");
  const list = found.querySelector("ol");
  const most = 20; // results

  let loading;
  const load = () => loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = root + "search-index.js";
    script.onload = () => resolve(searchIndex);
    script.onerror = reject;
    document.head.append(script);
  });

  // A word that begins with what was typed counts for half. A word counts the less the more entries have it.
  const search = (index, query) => {
    const scores = new Map();
    for (const typed of new Set(query.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean))) {
      const best = new Map();
      for (const [word, entries] of Object.entries(index.words)) {
        if (!word.startsWith(typed)) continue;
        const rare = Math.log(1 + 2 * index.entries.length / entries.length) * (word === typed ? 1 : .5);
        for (let i = 0; i < entries.length; i += 2) {
          best.set(entries[i], Math.max(best.get(entries[i]) ?? 0, rare * Math.log2(1 + entries[i + 1])));
        }
      }
      for (const [entry, score] of best) scores.set(entry, (scores.get(entry) ?? 0) + score);
    }
    return [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([entry]) => index.entries[entry]);
  };

  const item = (entry) => {
    const li = document.createElement("li");
    const a = document.createElement("a");
    const begins = document.createElement("small");
    a.href = root + entry.link;
    a.textContent = entry.heading ? entry.page + " · " + entry.heading : entry.page;
    begins.textContent = entry.begins;
    li.append(a, begins);
    return li;
  };

  const show = async () => {
    const query = input.value.trim();
    found.hidden ||= query === "";
    if (query === "") return;
    const entries = search(await load(), query);
    if (query !== input.value.trim()) return; // more was typed meanwhile
    found.hidden = false;
    status.textContent = entries.length === 0 ? "Nothing found" : entries.length === 1 ? "1 place" : entries.length + " places";
    list.replaceChildren(...entries.slice(0, most).map(item));
  };

  box.hidden = false;
  input.addEventListener("focus", load, { once: true });
  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  document.addEventListener("click", (event) => { if (!box.contains(event.target)) found.hidden = true; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") found.hidden = true;
    if (event.key === "/" && !event.target.closest("input, textarea")) { event.preventDefault(); input.focus(); }
  });
})();
