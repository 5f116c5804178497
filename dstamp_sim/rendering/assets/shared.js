"use strict";
const { html, render, useState, useEffect, useRef } = htmPreact;
const data = JSON.parse(document.getElementById("data").textContent);

/** States are written as {object: [[path, value], …]}; gives the fields that differ, with both values. */
function differences(before, after) {
  const found = [];
  for (const name of Object.keys(after)) {
    const old = new Map(before[name] || []), now = new Map(after[name]);
    for (const path of new Set([...old.keys(), ...now.keys()]))
      if (old.get(path) !== now.get(path))
        found.push({ name, path, before: old.get(path), after: now.get(path) });
  }
  return found;
}

function Changes({ found, empty }) {
  if (!found.length) return html`<p class="quiet">${empty}</p>`;
  return html`<table class="changes">
    <thead><tr><th scope="col">what</th><th scope="col">before</th><th scope="col">after</th></tr></thead>
    <tbody>${found.map(change => html`<tr key=${change.name + change.path}>
      <th scope="row"><bdi>${change.name}</bdi>${change.path ? html` <span class="path">${change.path}</span>` : null}</th>
      <td><bdi>${change.before ?? "—"}</bdi></td>
      <td class="now"><bdi>${change.after ?? "—"}</bdi></td></tr>`)}</tbody></table>`;
}

function FullState({ state, changed }) {
  return html`<details class="state"><summary>Every object (${Object.keys(state).length})</summary>
    ${Object.entries(state).map(([name, fields]) => html`<div class="object" key=${name} data-object=${name}>
      <h3><bdi>${name}</bdi></h3>
      <dl>${fields.map(([path, value]) => html`<div class=${changed.has(name + "\n" + path) ? "now" : ""} data-path=${path}>
        <dt>${path || "value"}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl></div>`)}</details>`;
}

function Source({ place }) {
  const lines = data.places[place];
  if (!lines || !lines.length) return html`<p class="quiet">${place}</p>`;
  const here = Number(place.slice(place.lastIndexOf(":") + 1));
  return html`<figure class="source"><figcaption>${place}</figcaption><pre>${lines.map(([number, line]) =>
    html`<span key=${number} class=${number === here ? "line here" : "line"}><i>${number}</i>${line}\n</span>`)}</pre></figure>`;
}

function About() {
  return html`<dl class="about">${Object.entries(data.about).map(([key, value]) => html`<div key=${key}>
    <dt>${key}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl>`;
}

function ThemeButton() {
  const dark = () => document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const [is, set] = useState(dark());
  const change = () => { document.documentElement.dataset.theme = dark() ? "light" : "dark"; set(dark()); };
  return html`<button class="theme" onClick=${change} aria-label=${`Use ${is ? "light" : "dark"} colours`}>${is ? "light" : "dark"}</button>`;
}

/** Arrow keys and letters, unless the user is typing or a control of its own wants the key. */
function useKeys(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const act = event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "range") return;
      const action = latest.current[event.key];
      if (action) { event.preventDefault(); action(); }
    };
    addEventListener("keydown", act);
    return () => removeEventListener("keydown", act);
  }, []);
}
