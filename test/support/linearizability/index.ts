export { type AppendAudit, type AuditedToken, auditAppends } from "./audit-appends.js";
export { checkLinearizable, type LinearizabilityReport } from "./check-linearizable.js";
export { type Failure, HistoryRecorder, type OpenOperation } from "./history-recorder.js";
export type { Operation } from "./operation.js";
export type { CheckLimits } from "./search-budget.js";
