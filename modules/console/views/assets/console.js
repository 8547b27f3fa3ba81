"use strict";
(() => {
  // Times in the viewer's zone; the title keeps UTC.
  const zone = (root) => {
    for (const t of root.querySelectorAll("time[datetime]")) {
      const at = new Date(t.dateTime);
      if (isNaN(at)) continue;
      const today = new Date().toDateString() === at.toDateString();
      t.textContent = at.toLocaleString([], today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
    }
  };

  // A live part is asked for again, and replaced, while somebody looks.
  const live = (part) => {
    const every = Math.max(500, Number(part.dataset.live) || 1000);
    let failing = false;
    const again = async () => {
      if (!document.hidden) {
        try {
          const answer = await fetch(location.href, { redirect: "error", headers: { Accept: "text/html" } });
          if (!answer.ok) throw new Error(answer.status);
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const next = page.getElementById(part.id);
          if (!next) throw new Error("no such part");
          part.replaceChildren(...next.childNodes);
          zone(part);
          failing = false;
          if (next.dataset.live === undefined) return; // what was under way has ended
        } catch {
          failing = true;
        }
        document.body.classList.toggle("stale", failing);
        const lost = document.getElementById("lost");
        if (lost) lost.hidden = !failing;
      }
      setTimeout(again, failing ? 3000 : every);
    };
    setTimeout(again, every);
  };

  zone(document);

  // On narrow screens the screens' names scroll: to the one that is shown.
  const shown = document.querySelector(".side nav [aria-current]");
  if (shown) shown.parentNode.scrollLeft = shown.offsetLeft - shown.parentNode.offsetLeft - 16;

  for (const part of document.querySelectorAll("[data-live][id]")) live(part);

  // A box that checks all boxes of its form.
  for (const all of document.querySelectorAll("input[data-all]")) {
    all.addEventListener("change", () => {
      for (const one of all.form.querySelectorAll('input[name="' + all.dataset.all + '"]')) one.checked = all.checked;
    });
  }

  // "/" leads to the first field.
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.ctrlKey || e.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
    const first = document.querySelector("main input:not([type=hidden]):not([type=checkbox])");
    if (first) {
      e.preventDefault();
      first.focus();
    }
  });
})();
