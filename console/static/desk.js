"use strict";
// The duty desk as it fills. Without this file the page shows it as of its loading.
(() => {
  const place = document.getElementById("live");
  if (!place || !("EventSource" in window)) return;
  const wish = document.getElementById("sound");
  let newest = null;

  if (wish) {
    wish.checked = localStorage.getItem("desk-sound") === "yes";
    wish.addEventListener("change", () => {
      localStorage.setItem("desk-sound", wish.checked ? "yes" : "no");
      if (wish.checked) beep();
    });
  }

  function beep() {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.frequency.value = 660;
    loud.gain.value = 0.2;
    tone.connect(loud).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.25);
    tone.addEventListener("ended", () => audio.close());
  }

  const stream = new EventSource(place.dataset.source);
  stream.addEventListener("desk", (event) => {
    const said = JSON.parse(event.data);
    const shown = document.createElement("div");
    shown.innerHTML = said.html;
    place.replaceChildren(...shown.querySelector("#live").childNodes);
    if (newest !== null && said.newest > newest && (!wish || wish.checked)) {
      if (localStorage.getItem("desk-sound") === "yes") beep();
      document.title = `（新）${document.title.replace(/^（新）/, "")}`;
    }
    newest = said.newest;
  });
  stream.addEventListener("end", () => {
    stream.close();
    const words = document.createElement("p");
    words.className = "muted";
    words.textContent = "已停止自动更新，刷新页面可以继续。";
    place.append(words);
  });
  addEventListener("focus", () => { document.title = document.title.replace(/^（新）/, ""); });

  // How long the platform still takes an answer, counted down by the minute.
  const window_ = document.querySelector("[data-until]");
  const left = () => {
    const minutes = Math.floor((Date.parse(window_.dataset.until) - Date.now()) / 60000);
    window_.textContent = minutes < 0 ? "已到时限，刷新看怎样答复"
      : minutes < 60 ? `还有 ${minutes} 分钟` : `还有 ${Math.floor(minutes / 60)} 小时 ${minutes % 60} 分钟`;
  };
  if (window_) {
    left();
    setInterval(left, 15000);
  }
})();
