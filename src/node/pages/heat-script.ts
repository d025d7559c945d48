/**
 * The script of heat maps: which evaluation is shown, by what tokens are shaded, and what both models thought of the
 * token that is pointed at. It sets texts as text; without it the last evaluation is there, without details.
 */
export const heatScript = `
(() => {
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const names = ["KL(teacher \\u2016 student)", "KL(student \\u2016 teacher)", "advantage", "entropy of the student", "of the teacher"];
  const bars = (title, list, className) => {
    const part = element("div");
    part.append(element("h3", "", title));
    for (let i = 0; i < list.length; i += 2) {
      const [text, probability] = [list[i], list[i + 1]];
      const row = element("div", "bar");
      const track = element("span");
      const bar = element("i", className);
      bar.style.width = Math.max(0.5, 100 * probability) + "%";
      track.append(bar);
      row.append(element("span", "", text), track, element("span", "", (100 * probability).toFixed(1) + " %"));
      part.append(row);
    }
    return part;
  };
  const show = (token) => {
    const map = token.closest("[data-heat]");
    map.details ??= JSON.parse(map.querySelector("[data-details]").textContent);
    const [facts, student, teacher] = map.details[[...map.querySelectorAll(".token")].indexOf(token)];
    const line = element("p", "facts");
    line.append(element("b", "", "\\u201c" + token.textContent + "\\u201d"));
    for (const [i, value] of facts.entries()) {
      if (value === "") continue;
      const fact = element("span", "", names[i] + " ");
      fact.append(element("b", "", value + " nats"));
      line.append(fact);
    }
    const models = element("div", "models");
    models.append(bars("student", student, "student"));
    if (teacher.length > 0) models.append(bars("teacher", teacher, "teacher"));
    map.querySelector(".detail").replaceChildren(line, models);
    for (const other of map.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    token.setAttribute("aria-current", "true");
  };
  const tokenOf = (event) => (event.target.closest ? event.target.closest(".token") : null);
  for (const kind of ["pointerover", "focusin", "click"]) {
    document.addEventListener(kind, (event) => {
      const token = tokenOf(event);
      if (token) show(token);
    });
  }
  const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  document.addEventListener("keydown", (event) => {
    const token = tokenOf(event);
    const move = moves[event.key];
    if (!token || move === undefined) return;
    const all = [...token.parentElement.querySelectorAll(".token")];
    const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(token) + move))];
    event.preventDefault();
    token.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  document.addEventListener("input", (event) => {
    const map = event.target.closest("[data-heat]");
    if (!map) return;
    if (event.target.type === "radio") map.dataset.by = event.target.value;
    if (event.target.type !== "range") return;
    const step = event.target.dataset.steps.split(" ")[event.target.value];
    map.querySelector("output").textContent = step;
    event.target.setAttribute("aria-valuetext", "step " + step);
    for (const part of map.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== event.target.value;
  });
})();
`;
