"use strict";
// A push as it goes. Without this file the page shows it as of its loading.
(() => {
  const place = document.getElementById("live");
  if (!place || !("EventSource" in window)) return;
  const stream = new EventSource(place.dataset.source);
  stream.addEventListener("push", (event) => {
    const shown = document.createElement("div");
    shown.innerHTML = JSON.parse(event.data).html;
    place.replaceChildren(...shown.querySelector("#live").childNodes);
  });
  stream.addEventListener("end", () => {
    stream.close();
    const words = document.createElement("p");
    words.className = "muted";
    words.textContent = "已停止自动更新，刷新页面可以继续。";
    place.append(words);
  });
})();
