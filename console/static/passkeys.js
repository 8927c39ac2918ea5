"use strict";
// Registering a passkey, and signing a decision with one. The server checks everything again.
(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const say = (words) => {
    const box = document.getElementById("passkey-problem");
    box.querySelector("li").textContent = words;
    box.hidden = false;
    box.scrollIntoView({ block: "center" });
    box.focus({ preventScroll: true });
  };

  const ask = async (path, body, headers) => {
    const answer = await fetch(path, { method: "POST", body, headers, credentials: "same-origin" });
    const data = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(data.message || "没有完成，请刷新页面后重试");
    return data;
  };

  const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const why = (error) =>
    error.name === "NotAllowedError" ? "设备没有确认，或等得太久：请再试一次" :
    error.name === "InvalidStateError" ? "这台设备已经登记过" :
    error.name === "SecurityError" ? "这个网址不能使用通行密钥" : error.message;

  const register = async (form) => {
    const csrf = { "X-CSRF": form.dataset.csrf };
    const options = await ask("/console/me/passkeys/begin", null, csrf);
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: described(options.excludeCredentials),
      },
    });
    const credential = {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: text(made.response.clientDataJSON),
        attestationObject: text(made.response.attestationObject),
      },
    };
    const body = JSON.stringify({ credential, label: form.elements.label.value });
    const done = await ask("/console/me/passkeys/finish", body,
      { ...csrf, "Content-Type": "application/json" });
    location.assign(done.next);
  };

  document.querySelectorAll("[data-passkey-register]").forEach((form) =>
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      register(form).catch((error) => say(why(error)));
    }));

  // What the device answers to the question that `path` puts for these fields, as JSON.
  const answer = async (path, fields) => {
    const options = await ask(path, new URLSearchParams(fields));
    const made = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        allowCredentials: described(options.allowCredentials),
      },
    });
    return JSON.stringify({
      id: made.id,
      response: {
        authenticatorData: text(made.response.authenticatorData),
        clientDataJSON: text(made.response.clientDataJSON),
        signature: text(made.response.signature),
      },
    });
  };

  // A decision form with data-passkey: the device signs what stands in it, then it is sent.
  const sign = async (form, verdict) => {
    const fields = new FormData(form);
    fields.set("verdict", verdict);
    form.elements.passkey.value = await answer(form.dataset.passkey, fields);
  };

  // Signing in: the device answers, then the form is sent. Without a script it stays hidden.
  document.querySelectorAll("form[data-passkey-answer]").forEach((form) => {
    form.hidden = !window.PublicKeyCredential;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer(form.dataset.passkeyAnswer, new FormData(form))
        .then((signed) => {
          form.elements.passkey.value = signed;
          form.submit();
        })
        .catch((error) => say(why(error)));
    });
  });

  document.querySelectorAll("form[data-passkey]").forEach((form) =>
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      if (!button || button.value !== "approve" || form.elements.passkey.value) return;
      event.preventDefault();
      sign(form, button.value)
        .then(() => form.requestSubmit(button))
        .catch((error) => say(why(error)));
    }));
})();
