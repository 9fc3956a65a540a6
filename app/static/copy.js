// Buttons that copy: `data-copy` names the element whose text goes to the clipboard.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest && event.target.closest("[data-copy]");
  const source = button && document.getElementById(button.dataset.copy);
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.setAttribute("aria-pressed", "true");
    setTimeout(() => button.removeAttribute("aria-pressed"), 1500);
  } catch {
    getSelection().selectAllChildren(source); // no clipboard without https: the text is at least selected
  }
});
