export * from "./client.js";
export * from "./errors.js";
export * from "./recorder.js";
export { defaultRetry, type Retry } from "./retry.js";
export { EventParser, type StreamEvent, type Waiting } from "./updates.js";
