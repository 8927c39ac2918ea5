// Beside the text while somebody types: each channel's picture of it, what reviewers will meet, whom a push reaches.
import { asFields } from "./editor-keep.js";

const PAUSE = 1200;

/** Keep the panes beside the text up to date; `fill` brings the hidden field of the text up to date. */
export const beside = (host, fill) => {
  const { form } = host;
  const side = document.getElementById("beside");
  const tabs = [...side.querySelectorAll("[role=tab]")];
  const pane = document.getElementById("previews");
  const shown = pane.querySelector(".beside-shown");
  const told = pane.querySelector(".beside-said");
  const places = Object.fromEntries([...form.querySelectorAll("[data-beside]")].map((one) => [one.dataset.beside, one]));
  let waiting = 0;
  let running = false;
  let again = false;

  // The channel and the openings somebody chose stay as they are when the picture is drawn anew.
  const put = (html) => {
    const at = [...shown.querySelectorAll("input[type=radio]")].findIndex((one) => one.checked);
    const open = [...shown.querySelectorAll("details")].map((one) => one.open);
    shown.innerHTML = html;
    const radio = shown.querySelectorAll("input[type=radio]")[at];
    if (radio) radio.checked = true;
    shown.querySelectorAll("details").forEach((one, number) => { one.open = open[number] ?? false; });
  };
  const show = (said) => {
    put(said.previews);
    shown.classList.remove("is-old");
    Object.entries(places).forEach(([name, place]) => { place.innerHTML = said[name]; });
    told.textContent = "与正在写的文字一致，还没有保存。";
    told.classList.remove("late");
  };
  const fail = (words) => {
    told.textContent = words;
    told.classList.add("late");
    shown.classList.add("is-old");
  };
  const ask = async () => {
    clearTimeout(waiting);
    if (running) { again = true; return; }
    running = true;
    fill();
    const body = JSON.stringify({ place: form.dataset.place, fields: asFields(form) });
    try {
      const answer = await fetch("/console/items/beside", {
        method: "POST", headers: { "X-CSRF": host.csrf(), "Content-Type": "application/json" }, body, redirect: "manual",
      });
      const said = await answer.json();
      if (answer.ok) show(said);
      else fail(`预览停在改动以前：${said.message}`);
    } catch {
      fail("没有连上，预览停在改动以前。文字都还在，下次改动会再试。");
    }
    running = false;
    if (again) { again = false; soon(); }
  };
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(ask, PAUSE); };

  const choose = (tab) => {
    tabs.forEach((one) => {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
    });
    side.classList.toggle("is-preview", tab.id === "tab-previews");
    if (tab.id === "tab-previews" && !shown.firstChild) ask();
  };
  tabs.forEach((tab, number) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      const other = tabs[1 - number];
      choose(other);
      other.focus();
    });
  });
  form.querySelector("[data-show-preview]")?.addEventListener("click", () => {
    choose(tabs[1]);
    side.scrollIntoView({ block: "start" });
  });
  // A reason leads to its list, which may lie behind the other tab; so does a field that must be filled.
  places.sum?.addEventListener("click", () => choose(tabs[0]));
  form.addEventListener("invalid", (event) => { if (side.contains(event.target)) choose(tabs[0]); }, true);
  // Choosing a channel is no change of the text.
  pane.addEventListener("input", (event) => event.stopPropagation());
  pane.addEventListener("change", (event) => event.stopPropagation());
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  host.beside = soon;
};
