/* A space, walked through: at every state choose who moves next. */
const stateOf = n => Object.fromEntries(data.objects.map((name, i) => [name, data.values[data.states[n][0][i]]]));
const bad = n => data.states[n][2].filter(p => !data.properties[p][1]);
const reached = n => data.states[n][2].filter(p => data.properties[p][1]);

/** For every state, how many moves to the nearest bad one, and the first of them: breadth first, backwards. */
const nearest = (() => {
  const into = data.states.map(() => []), far = data.states.map(() => Infinity), next = data.states.map(() => null);
  data.states.forEach(([, standings], from) => standings.forEach(([, , , ways], who) => ways.forEach(([, to], k) => {
    if (to !== null) into[to].push([from, who, k]);
  })));
  const queue = data.states.map((_, n) => n).filter(n => bad(n).length);
  queue.forEach(n => { far[n] = 0; });
  for (let i = 0; i < queue.length; i++)
    for (const [from, who, k] of into[queue[i]])
      if (far[from] === Infinity) { far[from] = far[queue[i]] + 1; next[from] = [who, k]; queue.push(from); }
  return { far, next };
})();

function Standing({ name, standing, take, at }) {
  const [says, kind, where, ways] = standing;
  const word = data.words[kind];
  const label = { ready: "next", blocked: "blocked in", ended: "ended", dead: "died" }[word];
  return html`<li class=${word === "blocked" ? "blocked" : word === "ready" ? "" : "over"} data-process=${name} data-kind=${word}>
    <b><bdi>${name}</bdi></b> <span class="quiet">${label}</span> <bdi>${data.words[says]}</bdi>
    ${where >= 0 && word === "ready" || word === "blocked" ? html` <span class="quiet">${data.words[where]}</span>` : null}
    ${ways.length ? html`<div class="choices">${ways.map(([does, to, kills], k) => {
      const ill = to !== null && bad(to).length && !bad(at).length;
      return html`<button key=${k} disabled=${to === null} class=${ill ? "bad" : ""} onClick=${() => take(k)}>
        ${kills ? "dies" : html`<bdi>${data.words[does]}</bdi>`}${ill ? " — leads to a bad state" : to === null ? " — not on this page" : ""}</button>`;
    })}</div>` : null}</li>`;
}

function Page() {
  const [path, set] = useState([{ at: 0, says: "The beginning" }]);
  const at = path[path.length - 1].at;
  const [, standings] = data.states[at];
  const take = (who, k) => {
    const [does, to, kills] = standings[who][3][k];
    if (to === null) return;
    const said = `${data.processes[who]}: ${kills ? "dies" : data.words[does]}`;
    set([...path, { at: to, says: said, place: standings[who][2] }]);
  };
  const back = () => path.length > 1 && set(path.slice(0, -1));
  const towards = () => nearest.next[at] && take(...nearest.next[at]);
  useKeys({
    ArrowLeft: back, Backspace: back, Home: () => set(path.slice(0, 1)), b: towards,
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map(n => [String(n), () => {
      const ready = standings.map(([, , , ways], who) => who).filter(who => standings[who][3].length);
      if (ready[n - 1] !== undefined) take(ready[n - 1], 0);
    }])),
  });
  const before = path.length > 1 ? stateOf(path[path.length - 2].at) : stateOf(at);
  const found = differences(before, stateOf(at));
  const changed = new Set(found.map(change => change.name + "\n" + change.path));
  const here = path[path.length - 1];
  const far = nearest.far[at];
  return html`<main>
    <header><h1><bdi>${data.title}</bdi></h1><${ThemeButton} /></header>
    ${data.complete ? null : html`<p class="left-out">This page holds the first ${data.states.length.toLocaleString("en")} states, not all of them.</p>`}
    <nav aria-label="Walk">
      <button onClick=${() => set(path.slice(0, 1))}>⇤ start</button>
      <button onClick=${back} disabled=${path.length === 1}>◀ back</button>
      ${far === Infinity ? html`<span class="quiet">no bad state can be reached from here</span>`
        : far ? html`<button class="jump" onClick=${towards}>towards a bad state: ${far} move${far === 1 ? "" : "s"} <kbd>b</kbd></button>`
        : html`<span class="bad-state">this state is bad</span>`}
    </nav>
    <div class="columns">
      <section aria-label="Processes"><h2 aria-live="polite">Move ${path.length - 1}: <bdi>${here.says}</bdi></h2>
        <ul class="moves">${standings.map((standing, who) => html`<${Standing} key=${who} at=${at} name=${data.processes[who]}
          standing=${standing} take=${k => take(who, k)} />`)}</ul>
        <h3>The way here</h3>
        <ol class="steps">${path.map(({ says }, n) => html`<li key=${n}><button aria-current=${n === path.length - 1 ? "step" : null}
          onClick=${() => set(path.slice(0, n + 1))}><span class="number">${n}</span><span class="does" style="grid-column:2/4"><bdi>${says}</bdi></span></button></li>`)}</ol>
      </section>
      <section class="panel" aria-label="State">
        <h2>State ${at} of ${data.states.length.toLocaleString("en")}</h2>
        <ul class="verdicts">${data.properties.map(([name, wish], p) => {
          const decided = data.states[at][2].includes(p);
          return html`<li key=${p} class=${decided && !wish ? "bad" : ""}>${decided ? (wish ? "✓ reached: " : "✗ fails here: ") : wish ? "not reached: " : "✓ "}<bdi>${name}</bdi></li>`;
        })}</ul>
        <h3>What changed</h3>
        <${Changes} found=${found} empty=${path.length > 1 ? "Nothing: no object has another value than before." : "Nothing yet."} />
        ${here.place >= 0 ? html`<h3>The model</h3><${Source} place=${data.words[here.place]} />` : null}
        <${FullState} state=${stateOf(at)} changed=${changed} />
      </section>
    </div>
    <footer><${About} /><p class="quiet">Keys: 1 to 9 move a process that can, ← back, Home start, b towards a bad state.</p></footer>
  </main>`;
}

document.getElementById("app").replaceChildren();
render(html`<${Page} />`, document.getElementById("app"));
