// Reading along with a recording. Without it the browser's own player plays, and the words can be read.
//
// A player is an element marked data-player; in it lie the sound, its picture and everything with a second (data-start).
"use strict";

(() => {
  const BACK = 3;
  const SLOW = 0.7;
  const root = document.querySelector("[data-player]");
  const audio = root?.querySelector("audio");
  if (!audio) return;

  const words = () => [...root.querySelectorAll(".words [data-start]")];
  const second = (one) => Number(one.dataset.start);
  const duration = () => Number(root.querySelector("[data-wave]")?.dataset.duration) || audio.duration || 0;
  let shown = null;

  const show = () => {
    const head = root.querySelector("[data-head]");
    if (head && duration() > 0) head.setAttribute("x", String(Math.min(997, audio.currentTime / duration() * 1000)));
    let now = null;
    // a hundredth: what a second loses on its way through the player
    for (const word of words()) { if (second(word) <= audio.currentTime + 0.01) now = word; else break; }
    if (now === shown && now?.isConnected) return;
    shown?.classList.remove("now");
    shown = now;
    if (now && (audio.currentTime > 0 || !audio.paused)) now.classList.add("now");
  };

  const follow = () => {
    show();
    if (!audio.paused) requestAnimationFrame(follow);
  };

  const seek = (to, play) => {
    audio.currentTime = Math.max(0, to);
    show();
    if (play) audio.play().catch(() => {});
  };

  const deeds = {
    play: () => { if (audio.paused) audio.play().catch(() => {}); else audio.pause(); },
    back: () => seek(audio.currentTime - BACK, false),
    slow: () => {
      audio.playbackRate = audio.playbackRate === 1 ? SLOW : 1;
      root.querySelector('[data-do="slow"]')?.setAttribute("aria-pressed", String(audio.playbackRate !== 1));
    },
    next: () => {
      const next = words().find((one) => one.classList.contains("doubtful") && second(one) > audio.currentTime + 0.05);
      if (next) { seek(second(next), true); next.scrollIntoView({ block: "center" }); }
    },
    help: () => { const help = root.querySelector("[data-keys]"); if (help) help.open = !help.open; },
  };

  const asked = () => {
    const at = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (at) seek(Number(at[1]), false);
  };

  root.addEventListener("click", (event) => {
    const word = event.target.closest("[data-start]");
    if (word) {
      event.preventDefault();
      history.replaceState(null, "", `#t=${word.dataset.start}`);
      return seek(second(word), true);
    }
    const deed = event.target.closest("[data-do]");
    if (deed) return deeds[deed.dataset.do]?.();
    const wave = event.target.closest("svg") && event.target.closest("[data-wave]");
    if (wave && duration() > 0) {
      const box = wave.querySelector("svg").getBoundingClientRect();
      seek((event.clientX - box.left) / box.width * duration(), true);
    }
  });

  const keys = { " ": "play", ArrowLeft: "back", s: "slow", n: "next", "?": "help" };
  document.addEventListener("keydown", (event) => {
    const deed = keys[event.key];
    if (!deed || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select, audio")) return;
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    event.preventDefault();
    deeds[deed]();
  });

  audio.addEventListener("play", follow);
  for (const name of ["timeupdate", "seeked", "pause"]) audio.addEventListener(name, show);
  audio.addEventListener("play", () => { const key = root.querySelector('[data-do="play"]'); if (key) key.textContent = "⏸ Anhalten"; });
  audio.addEventListener("pause", () => { const key = root.querySelector('[data-do="play"]'); if (key) key.textContent = "▶ Abspielen"; });
  root.addEventListener("renewed", show);
  window.addEventListener("hashchange", asked);
  for (const one of root.querySelectorAll("[data-needs-script]")) one.hidden = false;
  asked();
})();
