/* A trace, stepped through. Step 0 is the state before the first step shown; step n is the state after the n-th. */
const last = data.steps.length;
const states = [data.initial];
for (const step of data.steps) states.push({ ...states[states.length - 1], ...step.changes });
const spots = new Map((data.spots || []).map(([number, x, y]) => [number, { x, y }]));
const LIST_AROUND = 150;
const SVG = "http://www.w3.org/2000/svg";

const process = step => data.processes[step.p];
const number = at => data.first + at;                 // as the texts count: from 1
const unbroken = does => does.replaceAll("->", "-\u2060>");  // no line ends inside of an arrow
const clock = step => step.time === null || step.time === undefined ? "" : `${step.time.toFixed(1)} s`;

/** The steps that the explanation speaks of, in order, as positions of the slider. */
const race = [...new Set([
  ...(data.window ? [data.window[1], data.window[2]] : []),
  ...(data.write === null ? [] : [data.write]), ...(data.reads === null ? [] : [data.reads]),
  ...data.cycle.flatMap(([, source, target]) => [source, target]),
])].filter(n => n >= data.first).sort((a, b) => a - b).map(n => n - data.first + 1);

function draw(tag, attributes, parent) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.appendChild(element);
  return element;
}

function Timeline({ at, go, shown }) {
  const holder = useRef();
  useEffect(() => {
    const svg = document.getElementById("timeline").content.querySelector("svg");
    if (!svg) return;
    const copy = document.importNode(svg, true);
    holder.current.replaceChildren(copy);
    copy.append(...copy.querySelectorAll(".label.process"));  // above what they cover when they stay in sight
    holder.current.onscroll = () => copy.style.setProperty("--scrolled",
      `${holder.current.scrollLeft * copy.viewBox.baseVal.width / copy.getBoundingClientRect().width}px`);
    copy.addEventListener("click", event => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(copy.getScreenCTM().inverse());
      let best = null, far = Infinity;
      for (const [n, spot] of spots) {
        const distance = Math.abs(spot.x - point.x) + Math.abs(spot.y - point.y) / 4;
        if (distance < far) { far = distance; best = n; }
      }
      if (best !== null) go(best - data.first + 1);
    });
  }, []);
  useEffect(() => {
    const over = holder.current.querySelector(".over");
    if (!over) return;
    over.replaceChildren();
    const spot = spots.get(number(at) - 1);
    if (spot) {
      const axis = holder.current.querySelector("polyline.axis").getBBox().y;  // below it stand its numbers and the key
      draw("line", { class: "cursor", x1: spot.x, x2: spot.x, y1: 0, y2: axis }, over);
      draw("circle", { class: "cursor", cx: spot.x, cy: spot.y, r: 11 }, over);
      const wide = holder.current.scrollWidth, x = spot.x / 1600 * wide;
      if (x < holder.current.scrollLeft + 40 || x > holder.current.scrollLeft + holder.current.clientWidth - 40)
        holder.current.scrollLeft = x - holder.current.clientWidth / 2;
    }
    for (const [kind, source, target] of shown) {
      const from = spots.get(source), to = spots.get(target);
      if (!from || !to) continue;
      const middle = (from.y + to.y) / 2 + (from.y === to.y ? 40 : 0);
      draw("path", { class: `depends ${kind}`, "marker-end": "url(#tip)",
        d: `M${from.x} ${from.y}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}` }, over);
    }
  });
  return html`<div class="picture" ref=${holder} tabindex="0" role="group" aria-label="Timeline; click a step to go there"></div>`;
}

const MEANS = { wr: "reads what it wrote", ww: "overwrites what it wrote", rw: "overwrites what it had read", wants: "waits for it" };

function Dependencies({ at, go, show }) {
  const here = number(at) - 1;
  const mine = data.links.filter(([, source, target]) => source === here || target === here);
  if (!mine.length) return html`<p class="quiet">No step of another process depends on this one, nor it on them.</p>`;
  return html`<ul class="links">${mine.map(link => {
    const [kind, source, target, says] = link;
    const other = source === here ? target : source;
    return html`<li key=${says}><button onClick=${() => go(other - data.first + 1)}
      onMouseEnter=${() => show([link])} onMouseLeave=${() => show([])} onFocus=${() => show([link])} onBlur=${() => show([])}
      ><b title=${MEANS[kind]}>${kind}</b> <bdi>${says}</bdi></button></li>`;
  })}</ul>`;
}

function Steps({ at, go, show }) {
  const begin = Math.max(1, at - LIST_AROUND), end = Math.min(last, at + LIST_AROUND);
  const list = useRef();
  useEffect(() => {
    const current = list.current && list.current.querySelector("[aria-current]");
    if (!current) return;
    const top = current.offsetTop;
    if (top < list.current.scrollTop || top > list.current.scrollTop + list.current.clientHeight - 60)
      list.current.scrollTop = top - list.current.clientHeight / 2;
  }, [at]);
  const rows = [];
  for (let n = begin; n <= end; n++) {
    const step = data.steps[n - 1], before = data.steps[n - 2];
    const links = data.links.filter(([, source, target]) => source === number(n) - 1 || target === number(n) - 1);
    rows.push(html`<li key=${n}><button aria-current=${n === at ? "step" : null} onClick=${() => go(n)}
      class=${"lane" + step.p % 6 + (race.includes(n) ? " race" : "") + (Object.keys(step.changes).length ? "" : " same")}
      onMouseEnter=${() => show(links)} onMouseLeave=${() => show([])}>
      <span class="number">${number(n)}</span>
      <span class=${before && n > begin && before.p === step.p ? "who again" : "who"}><bdi>${process(step)}</bdi></span>
      <span class="does"><bdi>${unbroken(step.does)}</bdi></span></button></li>`);
  }
  return html`<ol class="steps" ref=${list} aria-label="Steps">
    ${begin > 1 ? html`<li class="quiet">… ${begin - 1} steps above</li>` : null}${rows}
    ${end < last ? html`<li class="quiet">… ${last - end} steps below</li>` : null}</ol>`;
}

function Page() {
  const [at, set] = useState(Math.min(last, race.length ? race[race.length - 1] : last));
  const [shown, show] = useState([]);
  const go = n => { set(Math.max(0, Math.min(last, n))); show([]); };
  const jump = () => race.length && go(race.find(n => n > at) ?? race[0]);
  useKeys({
    ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1),
    PageDown: () => go(at + 10), PageUp: () => go(at - 10), Home: () => go(0), End: () => go(last), r: jump,
  });
  const step = at ? data.steps[at - 1] : null;
  const found = at ? differences(states[at - 1], states[at]) : [];
  const changed = new Set(found.map(change => change.name + "\n" + change.path));
  const says = step ? `Step ${number(at)}: ${process(step)}${step.where ? ", in " + step.where : ""}: ${unbroken(step.does)}`
    : data.first ? `Before step ${data.first + 1}` : "The beginning";
  return html`<main>
    <header><h1><bdi>${data.title}</bdi></h1><${ThemeButton} /></header>
    ${data.sentence ? html`<p class="sentence"><bdi>${data.sentence}</bdi></p>` : null}
    ${data.proof ? html`<p class="proof"><bdi>${data.proof}</bdi></p>` : null}
    ${data.first ? html`<p class="left-out">Not in this page: the first ${data.first.toLocaleString("en")} of ${
      data.total.toLocaleString("en")} steps.</p>` : null}
    <nav aria-label="Steps">
      <button onClick=${() => go(0)} aria-label="To the beginning">⇤</button>
      <button onClick=${() => go(at - 1)} aria-label="One step back">◀</button>
      <input type="range" min="0" max=${last} value=${at} onInput=${event => go(Number(event.target.value))}
        aria-label="Step" aria-valuetext=${says} />
      <button onClick=${() => go(at + 1)} aria-label="One step on">▶</button>
      <button onClick=${() => go(last)} aria-label="To the end">⇥</button>
      ${race.length ? html`<button class="jump" onClick=${jump}>next step of the race <kbd>r</kbd></button>` : null}
    </nav>
    <${Timeline} at=${at} go=${go} shown=${shown} />
    <div class="columns">
      <section aria-label="All steps"><${Steps} at=${at} go=${go} show=${show} /></section>
      <section class="panel" aria-label="This step">
        <h2 aria-live="polite"><span class="count">${says}</span></h2>
        ${step && clock(step) ? html`<p class="quiet">${clock(step)} after the start</p>` : null}
        ${step && step.ends !== null ? html`<p class="ends"><bdi>${process(step)}</bdi> ends: <bdi>${step.ends}</bdi></p>` : null}
        <h3>What changed</h3>
        <${Changes} found=${found} empty=${at ? "Nothing: no object has another value than before." : "Nothing yet."} />
        <h3>What depends on what</h3>
        ${at ? html`<${Dependencies} at=${at} go=${go} show=${show} />` : html`<p class="quiet">Nothing yet.</p>`}
        ${step ? html`<h3>The model</h3><${Source} place=${step.place} />` : null}
        <${FullState} state=${states[at]} changed=${changed} />
      </section>
    </div>
    <footer><${About} /><p class="quiet">Keys: ← → one step, PgUp PgDn ten, Home End, r the race.</p></footer>
  </main>`;
}

document.getElementById("app").replaceChildren();
render(html`<${Page} />`, document.getElementById("app"));
