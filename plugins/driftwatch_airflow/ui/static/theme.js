// Light or dark as the reader has chosen in Airflow. Airflow keeps the choice in localStorage ("light", "dark" or "system"), and what it comes to as a
// class of its own document, around the frame that shows these pages. Without a choice the system decides, by the style sheets alone.
"use strict";
{
  const root = document.documentElement;
  const around = () => {
    try {
      return window.parent === window ? null : window.parent.document.documentElement;
    } catch {
      return null; // a frame of another origin, which Content-Security-Policy does not allow
    }
  };
  const chosen = () => {
    const classes = around()?.classList;
    if (classes?.contains("dark")) return "dark";
    if (classes?.contains("light")) return "light";
    const kept = localStorage.getItem("theme");
    return kept === "dark" || kept === "light" ? kept : null;
  };
  const follow = () => {
    const theme = chosen();
    if ((root.dataset.theme ?? null) === theme) return;
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.dispatchEvent(new Event("themechange")); // the charts are drawn anew
  };
  follow();
  window.addEventListener("storage", follow);
  const outer = around();
  if (outer) new MutationObserver(follow).observe(outer, { attributes: true, attributeFilter: ["class"] });
}
