export { pickFirst } from "./pick-first.js";
export type {
  Candidate,
  ConnectScope,
  LoadReportSource,
  PickCall,
  Picker,
  PickerInput,
  PickerPolicy,
  PickFilter,
} from "./picker.js";
export { roundRobin } from "./round-robin.js";
