// The login page works without this. With it, the theme is the chosen one, and a reader comes back to where the session ended: the
// fragment of the URL, which the server never sees, goes on with the form.

import "./state/settings";

const form = document.querySelector("form");
if (form && location.hash.startsWith("#/")) form.action = `login${location.hash}`;
