// Writing to somebody: Ctrl Enter sends; what was sent leaves the field at once, so that what is written meanwhile stays.
"use strict";

document.addEventListener("keydown", (event) => {
  const field = event.target.closest && event.target.closest(".composer textarea");
  if (field && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    field.form.requestSubmit();
  }
});

// The answer is morphed in: a menu that was opened meanwhile stays open, the cursor stays where it is. A menu that was
// used closes here.
document.addEventListener("htmx:config:request", (event) => {
  const ctx = event.detail.ctx, form = ctx.sourceElement;
  if (!form.matches("form.composer, form.phone-foot")) return;
  const field = form.elements.text;
  ctx.written = field.value;
  field.value = "";
  const menu = form.querySelector(":popover-open");
  if (menu) menu.hidePopover();
  field.focus();
});

// Refused, or never answered: the words come back, unless others were begun.
document.addEventListener("htmx:finally:request", (event) => {
  const ctx = event.detail.ctx, sent = ctx.response && ctx.response.status < 400;
  const field = ctx.written && !sent && ctx.sourceElement.elements.text;
  if (field && !field.value) field.value = ctx.written;
});
