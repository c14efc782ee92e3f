import { render } from "preact";
import { App } from "./app";
import { start } from "./live/live";
import { loadMe } from "./state/me";
import { loadOperations } from "./state/operations";

void loadMe();
render(<App />, document.getElementById("app") as HTMLElement);
void loadOperations();
start();
