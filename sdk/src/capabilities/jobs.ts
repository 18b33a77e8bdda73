// Capability: work for later.

export interface JobsCapability {
  /** Runs one of the plugin's jobs after this invocation commits. */
  enqueue(job: string, input?: object): Promise<void>
}
