// Attachments come and go without leaving the page: words that are not saved stay where they are.

/** Send files from the card of attachments. */
export const files = (host) => {
  const { form } = host;
  const card = document.getElementById("attachments");
  if (!card) return;
  // A form that was put back holds words that are kept and not saved.
  let typed = new URLSearchParams(location.search).has("restore");
  // What stands in the card belongs to the file and is no word of the text.
  ["input", "change"].forEach((kind) => card.addEventListener(kind, (event) => event.stopPropagation()));
  form.addEventListener("input", () => { typed = true; });
  const say = (words, problem = false) => {
    const told = card.querySelector(".attach-said");
    told.textContent = words;
    told.classList.toggle("late", problem);
  };
  // The list as the office has it now; what stands in the fields of the text is not touched.
  const renew = async (item) => {
    form.elements.version.value = item.version;
    document.querySelectorAll("#mask input[name=version]").forEach((one) => { one.value = item.version; });
    const answer = await fetch(location.pathname);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    card.replaceChildren(...page.getElementById("attachments").childNodes);
    // Words kept before this belong to the version of now.
    if (typed) host.changed();
    host.beside?.();
  };
  const send = async (path, options, done) => {
    say("正在处理……");
    try {
      const answer = await fetch(`/api/v1/items/${form.dataset.place}/attachments${path}`, { headers: { "X-CSRF": host.csrf() }, ...options });
      const said = await answer.json();
      if (!answer.ok) { say(said.message, true); return; }
      await renew(said);
      say([done, ...(said.notes ?? [])].join(""));
    } catch {
      say("网络不通，没有完成，请稍后再试。文字都还在", true);
    }
  };
  card.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    const { version } = form.elements;
    if (button.name === "drop") {
      send(`/${encodeURIComponent(button.value)}?version=${version.value}`, { method: "DELETE" }, "已去掉。");
      return;
    }
    const body = new FormData();
    const file = card.querySelector("input[type=file]").files[0];
    if (!file) { say("请先选择要上传的文件", true); return; }
    body.append("version", version.value);
    body.append("file", file, file.name);
    ["origin", "licence"].forEach((name) => body.append(name, form.elements[name].value));
    send("", { method: "POST", body }, "已上传，稿件成为新的一稿。");
  });
};
