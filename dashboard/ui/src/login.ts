// The login page works without this. With it, the theme is the chosen one, and a reader comes back to where the session ended: the
// fragment of the URL, which the server never sees, goes on with the form.

import "./state/settings";

const form = document.querySelector("form");
if (form && location.hash.startsWith("#/")) form.action = `login${location.hash}`;

// After a refusal the user name is still there: it is kept in this tab, from the form that was sent to the next page.
const name = document.querySelector<HTMLInputElement>("[name=username]");
const kept = "taskflow.username";
try {
  const before = sessionStorage.getItem(kept);
  sessionStorage.removeItem(kept);
  if (name && before && !name.value && document.querySelector(".refused")) {
    name.value = before;
    document.querySelector<HTMLInputElement>("[name=password]")?.focus();
  }
  form?.addEventListener("submit", () => name && sessionStorage.setItem(kept, name.value));
} catch {
  // no storage: the name is typed again
}
