// Makes pages live. Without it everything works, by reloading.
//
// A part of a page marked `data-live` (it needs an id) is fetched anew whenever something happened. A part in which somebody
// types is left alone. HTML is never made of strings: the browser parses the answer into a document that runs nothing.
"use strict";

(() => {
  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  let due = null;
  let running = false;

  const busy = (part) => {
    const at = document.activeElement;
    const typing = at && part.contains(at) && at.matches("input, textarea, select");
    return typing || part.querySelector("dialog[open], details[data-keep][open]") !== null;
  };

  const keys = (part) => new Set([...part.querySelectorAll("[data-key]")].map((one) => one.dataset.key));

  const renew = (old, fresh) => {
    if (old.innerHTML === fresh.innerHTML || busy(old)) return;
    const known = keys(old);
    const focused = document.activeElement && old.contains(document.activeElement)
      ? document.activeElement.closest("[data-key]")?.dataset.key : null;
    old.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
    for (const one of old.querySelectorAll("[data-key]")) {
      if (known.size > 0 && !known.has(one.dataset.key)) one.classList.add("new");
      if (focused !== null && one.dataset.key === focused) (one.querySelector("a, button") ?? one).focus({ preventScroll: true });
    }
    old.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
  };

  const say = (text) => {
    const toast = document.querySelector("[data-toast]");
    if (toast && toast.textContent !== text) toast.textContent = text;
  };
  const stale = () => say("Abgemeldet oder keine Verbindung: bitte neu laden");

  const refresh = () => {
    due = null;
    if (running || document.hidden) return;
    running = true;
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    // nobody asked for it: it keeps no session alive
    request.setRequestHeader("x-refresh", "1");
    request.onloadend = () => {
      running = false;
      if (request.responseURL && new URL(request.responseURL).pathname.startsWith("/anmelden")) { stale(); return; }
      const fresh = request.response;
      if (request.status !== 200 || !fresh) return;
      for (const old of parts()) {
        const one = fresh.getElementById(old.id);
        if (one) renew(old, one);
      }
    };
    request.send();
  };

  const soon = () => { due ??= setTimeout(refresh, 250); };

  const listen = () => {
    if (parts().length === 0 || !("EventSource" in window)) return;
    const source = new EventSource("/live");
    // the browser comes back by itself; only what lasts is told
    let lost = null;
    source.addEventListener("open", () => {
      clearTimeout(lost);
      lost = null;
      say("");
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) stale();
      else lost ??= setTimeout(stale, 30_000);
    });
    source.addEventListener("news", soon);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
    window.addEventListener("pagehide", () => source.close());
  };

  // A form that asks first says so with data-ask.
  document.addEventListener("submit", (event) => {
    const ask = event.submitter?.dataset.ask ?? event.target.dataset.ask;
    if (ask && !window.confirm(ask)) event.preventDefault();
  });

  // What would be sent twice by a second tap is sent once.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const again = () => { delete form.dataset.sent; };
    window.addEventListener("pageshow", again, { once: true });
    // after a download the page is still there
    setTimeout(again, 5_000);
  });

  window.nachtwache = { refresh: soon };
  document.addEventListener("DOMContentLoaded", listen);
})();
