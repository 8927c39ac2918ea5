// What is typed is kept at the office every few seconds, apart from what is saved.
const EVERY = 3000;
const LEAVING = 60_000; // characters a closing page may still send

/** The fields of a form as the office keeps them. */
export const asFields = (form) => {
  const fields = {};
  new FormData(form).forEach((value, name) => {
    if (typeof value === "string" && !["csrf", "then"].includes(name)) (fields[name] ??= []).push(value);
  });
  return fields;
};

/** The form token of a session that began in another tab; empty when nobody is signed in. */
const fresh = async () => {
  const answer = await fetch("/console/items/new");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("form.draft input[name=csrf]")?.value ?? "";
};

/** Keep the form while somebody types; `fill` brings the hidden field of the text up to date. */
export const keep = (host, fill) => {
  const { form } = host;
  const told = form.querySelector(".copy-state");
  const offer = document.getElementById("copy-offer");
  let waiting = 0;
  let changed = false;
  let leaving = false;

  const body = () => { fill(); return JSON.stringify({ place: form.dataset.place, fields: asFields(form) }); };
  const post = (text, keepalive = false) => fetch("/console/items/working", {
    method: "POST", headers: { "X-CSRF": host.csrf(), "Content-Type": "application/json" }, body: text, redirect: "manual", keepalive,
  });
  const send = async () => {
    let answer = await post(body());
    if (answer.ok || answer.status === 422) return answer;
    const token = await fresh(); // signed in again elsewhere: this page goes on with the new session
    if (!token) return answer;
    document.querySelectorAll("input[name=csrf]").forEach((input) => { input.value = token; });
    answer = await post(body());
    return answer;
  };
  const say = (words, problem = false) => { told.textContent = words; told.classList.toggle("late", problem); };
  const ENDED = "登录已结束，文字还在这一页。请在新标签页登录，回到这里会接着暂存";

  const now = async () => {
    clearTimeout(waiting);
    waiting = 0;
    if (!changed) return true;
    changed = false;
    try {
      const answer = await send();
      if (answer.ok) {
        say(`已暂存 ${new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" })}`);
        return true;
      }
      changed = true;
      say(answer.status === 422 ? "内容太长，没有暂存，请先保存" : ENDED, true);
    } catch {
      changed = true;
      say("网络不通，还没有暂存，会再试", true);
    }
    waiting = setTimeout(now, EVERY * 2);
    return false;
  };
  form.addEventListener("input", () => {
    changed = true;
    if (offer?.isConnected) say("上面有一份没有保存的内容：先恢复或丢弃，新打的字才会暂存", true);
    else if (!waiting) waiting = setTimeout(now, EVERY);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && changed && !leaving && !offer?.isConnected) {
      const text = body();
      if (text.length < LEAVING) post(text, true);
    }
  });
  // A form that goes to a door that is shut would leave its words behind: they are kept first.
  form.addEventListener("submit", async (event) => {
    if (leaving || (offer?.isConnected && !host.coming.size)) return;
    event.preventDefault();
    const { submitter } = event;
    if (host.coming.size) say("还有图片或粘贴的内容没有放好，放好就保存");
    while (host.coming.size) await Promise.allSettled(host.coming);
    changed = true;
    if (!offer?.isConnected && !(await now()) && told.textContent === ENDED) {
      told.scrollIntoView({ block: "center" });
      return;
    }
    clearTimeout(waiting);
    if (leaving) return; // pressed twice
    leaving = true;
    form.requestSubmit(submitter);
  });
};
