import { compareInstants, invocationOf, type Operation, returnOf } from "./operation.js";

/** Tries every order of a handful of operations on one key: slow, and too simple to be wrong. */
export function isLinearizableByTryingAll(operations: readonly Operation[], value?: string): boolean {
  const known = operations.filter(({ returnedMs }) => returnedMs !== null);
  if (known.length === 0) return true;
  return operations.some((operation) => {
    const isTooLate = known.some(
      (other) => other !== operation && compareInstants(returnOf(other)!, invocationOf(operation)) < 0,
    );
    if (isTooLate) return false;
    const isUnknownGet = operation.kind === "get" && operation.returnedMs === null;
    if (operation.kind === "get" && !isUnknownGet && operation.result !== value) return false;
    const next =
      operation.kind === "get"
        ? value
        : operation.kind === "put"
          ? operation.value
          : (value ?? "") + operation.value;
    return isLinearizableByTryingAll(
      operations.filter((other) => other !== operation),
      next,
    );
  });
}
