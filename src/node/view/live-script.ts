/**
 * The script of pages that are live: it is told when something has changed, and puts in the parts that are other than
 * before. A part that is being used (pointed at or focused) waits.
 */
export const liveScript = `
(() => {
  const state = document.querySelector("[data-live]");
  const address = (name) => "/" + name + "?of=" + encodeURIComponent(location.pathname) + "&" + location.search.slice(1);
  const parts = () => [...document.querySelectorAll("[data-section]")];
  const last = new Map();
  const inUse = (part) => part.contains(document.activeElement) || (part.querySelector("[data-heat]") && part.matches(":hover"));
  let isBusy = false;
  let isStale = false;
  const say = (text) => { state.textContent = text; };
  const renew = async () => {
    if (document.hidden || isBusy) { isStale = true; return; }
    isBusy = true;
    isStale = false;
    try {
      const answer = await fetch(address("sections"));
      if (answer.status === 404) { say("gone: the folder was deleted or moved"); return; }
      if (!answer.ok) throw new Error(answer.statusText);
      const sections = await answer.json();
      const ids = sections.map(({ id }) => id).join(" ");
      if (ids !== parts().map((part) => part.dataset.section).join(" ")) { location.reload(); return; }
      for (const { id, html } of sections) {
        const part = document.querySelector('[data-section="' + id + '"]');
        if (last.get(id) === html) continue;
        if (inUse(part)) { isStale = true; continue; }
        last.set(id, html);
        part.innerHTML = html;
      }
      say("live");
    } catch {
      say("no connection: is pupil view still there?");
    } finally {
      isBusy = false;
    }
  };
  const events = new EventSource(address("events"));
  events.onmessage = ({ data }) => {
    // What the page was made of already.
    if (data === state.dataset.mark) return;
    state.dataset.mark = data;
    renew();
  };
  events.onerror = () => say("no connection: is pupil view still there?");
  document.addEventListener("visibilitychange", () => { if (isStale) renew(); });
  setInterval(() => { if (isStale) renew(); }, 2000);
})();
`;
