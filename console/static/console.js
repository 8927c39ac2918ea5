"use strict";
// Conveniences only: reading and deciding work without this file.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  document.documentElement.classList.add("js");

  all("[data-copy]").forEach((button) =>
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.textContent;
      button.textContent = "已复制";
      setTimeout(() => { button.textContent = words; }, 1500);
    }));

  all("[data-print]").forEach((button) => button.addEventListener("click", () => print()));

  all("tr[data-row]").forEach((row) =>
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, button") || String(getSelection())) return;
      row.querySelector("a").click();
    }));

  const openTarget = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  // j and k walk the findings, Enter opens the one in hand, a takes its suggestion.
  const findings = all(".finding");
  let at = -1;
  const walk = (step) => {
    if (!findings.length) return;
    at = (at + step + findings.length) % findings.length;
    findings[at].querySelector("summary").focus();
    const mark = document.querySelector(`mark a[href="#${findings[at].id}"]`);
    if (mark) mark.scrollIntoView({ block: "center" });
  };
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey) return;
    if (event.key === "j") walk(1);
    if (event.key === "k") walk(-1);
    if (event.key === "a" && at >= 0) findings[at].querySelector("[data-replace], form[action$='/accept'] button")?.click();
    if (event.key === "m" && document.getElementById("mark-text")) takeMark();
  });

  // The selected passage of the article, without the gates' letters, goes into the return form.
  const dense = (fragment) => {
    const box = document.createElement("div");
    box.append(fragment);
    box.querySelectorAll("sup").forEach((letter) => letter.remove());
    // Points of a list carry their mark as the plain text has it; words of one place have no line.
    const lines = [...box.querySelectorAll(".leaf, h2")].filter((one) => !one.querySelector(".leaf"));
    const parts = lines.length ? lines : [...box.querySelectorAll("p")];
    return parts.length ? parts.map((one) => (one.dataset.said ?? "") + one.textContent).join("\n") : box.textContent;
  };
  const article = document.querySelector(".article");
  let chosen = null;
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    if (!article || selection.isCollapsed || !article.contains(selection.anchorNode)) return;
    chosen = selection.getRangeAt(0).cloneRange();
  });
  const takeMark = () => {
    if (!chosen) return;
    const before = document.createRange();
    before.setStart(article, 0);
    before.setEnd(chosen.startContainer, chosen.startOffset);
    document.getElementById("mark-text").value = dense(chosen.cloneContents()).trim();
    document.getElementById("mark-at").value = [...dense(before.cloneContents()).replace(/\s/g, "")].length;
    document.getElementById("mark-box").open = true;
    document.getElementById("mark-gate").focus();
  };
  all("[data-mark]").forEach((button) => button.addEventListener("click", takeMark));

  // Offsets count code points, as the gates do.
  const nearest = (text, words, start) => {
    const points = [...text];
    const guess = points.slice(0, start).join("").length;
    if (text.startsWith(words, guess)) return guess;
    let best = -1;
    for (let i = text.indexOf(words); i >= 0; i = text.indexOf(words, i + 1)) {
      if (best < 0 || Math.abs(i - guess) < Math.abs(best - guess)) best = i;
    }
    return best;
  };
  all("[data-replace]").forEach((button) =>
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.field);
      const place = nearest(field.value, button.dataset.replace, Number(button.dataset.start));
      if (place < 0) { button.textContent = "文中已没有这处"; button.disabled = true; return; }
      field.setRangeText(button.dataset.with, place, place + button.dataset.replace.length, "select");
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
      button.textContent = "已改，保存后生效";
      button.disabled = true;
    }));

  all("[data-append]").forEach((button) =>
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.to);
      field.value += (field.value ? "\n" : "") + "“" + button.dataset.append + "”";
      field.focus();
    }));

  all("form[data-unsaved]").forEach((form) => {
    let changed = false;
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("submit", () => { changed = false; });
    addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  });

  all("[data-count-for]").forEach((words) => {
    const field = document.getElementById(words.dataset.countFor);
    const show = () => { words.textContent = `${[...field.value].length} 字，${words.dataset.countOf}`; };
    field.addEventListener("input", show);
    show();
  });

  // A page with # in its address takes no autofocus of its own.
  document.querySelector(".reasons[autofocus]")?.focus();
})();
