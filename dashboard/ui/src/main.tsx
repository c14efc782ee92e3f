import { render } from "preact";
import { App } from "./app";
import { start } from "./live/live";
import { loadMe } from "./state/me";
import { loadOperations } from "./state/operations";

render(<App />, document.getElementById("app") as HTMLElement);
void loadMe();
void loadOperations();
start();
