"use strict";
(() => {
  const articles = [...document.querySelectorAll("article.change")];
  if (!articles.length) return;
  const byId = new Map(articles.map((article) => [article.dataset.id, article]));
  const progress = document.getElementById("progress");
  const storeKey = "unstate:" + articles.map((article) => article.dataset.id + article.dataset.seen).join("|");
  const state = (article) => article.querySelector("fieldset.verdict input:checked").value;
  const fields = (article) => [...article.querySelectorAll("[data-answer]")];
  const name = (article) => article.querySelector("h2 code").textContent;
  const needs = (article) => JSON.parse(article.dataset.needs).map((id) => byId.get(id)).filter(Boolean);
  const excludes = (one, other) =>
    JSON.parse(one.dataset.conflicts).includes(other.dataset.id) || JSON.parse(other.dataset.conflicts).includes(one.dataset.id);

  const set = (article, value) => {
    article.querySelector(`fieldset.verdict input[value="${value}"]`).checked = true;
  };

  // Everything that comes along with a change, itself first.
  const bundle = (article) => {
    const found = [article];
    for (const each of found) for (const need of needs(each)) if (!found.includes(need)) found.push(need);
    return found;
  };

  const accept = (article) => {
    const together = bundle(article);
    const accepted = articles.filter((each) => each !== article && state(each) === "true");
    const clash = together.flatMap((one) => [...accepted, ...together].filter((other) => other !== one && excludes(one, other)))[0];
    const rejected = together.slice(1).find((each) => state(each) === "false");
    if (clash || rejected) {
      set(article, "");
      return clash ? `${name(article)} cannot be taken together with ${name(clash)}.` : `${name(article)} needs ${name(rejected)}, which is rejected.`;
    }
    const brought = together.filter((each) => state(each) !== "true");
    together.forEach((each) => set(each, "true"));
    return brought.length && together.length > 1 ? `Taken along: ${brought.map(name).join(", ")}.` : "";
  };

  const release = (article) => {
    const open = articles.filter((each) => each !== article && state(each) === "true" && bundle(each).includes(article));
    open.forEach((each) => set(each, ""));
    return open.length ? `Undecided again: ${open.map(name).join(", ")}.` : "";
  };

  const decisions = () => ({
    schema: document.body.dataset.schema,
    groups: articles
      .map((article) => {
        const answers = {};
        let shown = true;
        for (const field of fields(article)) {
          if (field.value !== field.dataset.default) answers[field.dataset.answer] = field.value;
          if (field.value !== field.dataset.shown) shown = false;
        }
        const value = state(article);
        return { id: article.dataset.id, accept: value === "" ? null : value === "true", answers, seen: shown && value ? article.dataset.seen : "" };
      })
      .filter((choice) => choice.accept !== null || Object.keys(choice.answers).length)
      .sort((one, other) => (one.id < other.id ? -1 : 1)),
  });

  const show = (message) => {
    const marks = { true: ["✓", "accepted"], false: ["✗", "rejected"], "": ["", "undecided"] };
    for (const article of articles) {
      const [mark, word] = marks[state(article)];
      article.dataset.state = state(article);
      const sign = document.querySelector(`[data-state-of="${CSS.escape(article.dataset.id)}"]`);
      sign.textContent = mark;
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", word);
      const again = article.querySelector(".again");
      if (again) again.hidden = fields(article).every((field) => field.value === field.dataset.shown);
    }
    const accepted = articles.filter((article) => state(article) === "true").length;
    const decided = articles.filter((article) => state(article) !== "").length;
    progress.textContent = `${decided} of ${articles.length} decided, ${accepted} accepted. ${message}`;
  };

  const keep = () => {
    try { localStorage.setItem(storeKey, JSON.stringify(decisions())); } catch { /* the page works without */ }
  };

  const restore = () => {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(storeKey)); } catch { /* as above */ }
    for (const choice of kept?.groups ?? []) {
      const article = byId.get(choice.id);
      if (!article) continue;
      set(article, choice.accept === null ? "" : String(choice.accept));
      for (const field of fields(article)) {
        const answer = choice.answers[field.dataset.answer];
        if (answer !== undefined) field.value = answer;
      }
    }
  };

  const focusNext = () => {
    const here = articles.indexOf(document.activeElement?.closest("article.change"));
    const order = [...articles.slice(here + 1), ...articles.slice(0, here + 1)];
    const next = order.find((article) => state(article) === "");
    if (!next) return show("Nothing is left to decide.");
    next.querySelector("h2").focus();
    next.scrollIntoView();
  };

  for (const article of articles) {
    article.addEventListener("change", (event) => {
      let message = "";
      if (event.target.type === "radio") message = event.target.value === "true" ? accept(article) : release(article);
      keep();
      show(message);
    });
    article.addEventListener("input", () => show(""));
  }
  document.getElementById("accept-exact").addEventListener("click", () => {
    const exact = articles.filter((article) => article.dataset.verdict === "exact" && state(article) === "");
    const messages = exact.map(accept).filter(Boolean);
    keep();
    show(messages.join(" "));
  });
  document.getElementById("next").addEventListener("click", focusNext);
  document.getElementById("download").addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(decisions(), null, 2) + "\n"], { type: "application/json" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: "decisions.json" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
    show("decisions.json was downloaded.");
  });
  restore();
  show("");
})();
