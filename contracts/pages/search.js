"use strict";
// Everything works without this file but the search, which stays hidden then.
const box = document.getElementById("search");
const field = document.getElementById("find");
const found = document.getElementById("found");
const most = 40;

function fold(text) {
  return text.toLowerCase().normalize("NFKC");
}

const lines = window.catalogue.map(([kind, zh, en, to]) => ({
  kind, zh, en, to, name: fold(zh), text: fold(`${zh} ${en} ${to}`),
}));

// The words must all be there; what begins with the first comes before what only holds it.
function hits(wanted) {
  const words = fold(wanted).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const ranked = [];
  lines.forEach((line, place) => {
    if (!words.every((word) => line.text.includes(word))) return;
    const begins = line.name.startsWith(words[0]) || ` ${line.text}`.includes(` ${words[0]}`);
    ranked.push([begins ? 0 : 1, place, line]);
  });
  ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return ranked.slice(0, most).map(([, , line]) => line);
}

function show() {
  found.replaceChildren(...hits(field.value).map((line) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const what = document.createElement("small");
    const also = document.createElement("small");
    link.href = line.to;
    link.textContent = line.zh;
    what.textContent = line.kind;
    also.textContent = line.en;
    also.lang = "en";
    item.append(what, link, also);
    return item;
  }));
  if (field.value.trim() && !found.children.length) {
    const none = document.createElement("li");
    none.textContent = "没有找到 / nothing found";
    found.append(none);
  }
  found.hidden = !field.value.trim();
}

field.addEventListener("input", show);
field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    field.value = "";
    show();
  } else if (event.key === "Enter") {
    found.querySelector("a")?.click();
  }
});
found.addEventListener("click", () => { found.hidden = true; });
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  }
});
box.hidden = false;
