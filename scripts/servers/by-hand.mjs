import { fileURLToPath } from "node:url";

/** Does the action if the module with that URL is the script that Node was called with; says why it failed, if so. */
export function whenRunByHand(moduleUrl, action) {
  if (process.argv[1] !== fileURLToPath(moduleUrl)) return;
  action().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
