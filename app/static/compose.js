// Ctrl Enter sends what is being written; a sent reply leaves the cursor in the empty field.
"use strict";

document.addEventListener("keydown", (event) => {
  const field = event.target.closest && event.target.closest(".composer textarea");
  if (field && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    field.form.requestSubmit();
  }
});
