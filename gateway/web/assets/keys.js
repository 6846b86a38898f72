// Keys that work on every page: `?` tells of them, `/` goes to the filter, `g` and a letter goes to a room. A page says of
// its own in a `<template data-keys>` with `<kbd>key</kbd> what it does` in list items.
import { ask } from "/assets/kit.js";

const PATIENCE_MS = 1500;
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const rooms = [...document.querySelectorAll("header nav a[data-key]")];
const filter = () => document.querySelector("[data-find]") ?? document.querySelector("main input[type=search]");
const isWriting = (target) => target.closest?.("input, textarea, select, [contenteditable=true], .cm-editor, dialog");

const line = (keys, what) => element("li", {}, element("span", {}, ...keys.flatMap((key, place) => [place ? " " : "", element("kbd", { textContent: key })])), ` ${what}`);

const tell = () => {
  if (document.querySelector("dialog[open]")) return;
  const lines = [line(["?"], "shows this"), ...(filter() ? [line(["/"], "goes to the filter")] : []), ...rooms.map((room) => line(["g", room.dataset.key], `goes to ${room.textContent}`)), line(["Esc"], "closes what is open, or leaves a field")];
  const own = [...document.querySelectorAll("template[data-keys]")].map((each) => each.content.cloneNode(true));
  ask({ title: "Keyboard shortcuts", content: element("ul", { className: "keys" }, ...lines, ...own), action: "Close", closes: true });
};

let goesUntil = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && event.target.matches?.("input, select, textarea")) event.target.blur();
  if (isWriting(event.target)) return;
  if (event.timeStamp < goesUntil) {
    goesUntil = 0;
    const room = rooms.find((each) => each.dataset.key === event.key);
    if (!room) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    location.assign(room.href);
  } else if (event.key === "g") {
    goesUntil = event.timeStamp + PATIENCE_MS;
  } else if (event.key === "?") {
    event.preventDefault();
    tell();
  } else if (event.key === "/" && filter()) {
    event.preventDefault();
    filter().focus();
    filter().select?.();
  }
}, true);
document.querySelector("#keys").addEventListener("click", tell);
