// Capability: work for later.

export interface JobsCapability {
  /** Runs one of the plugin's jobs after this invocation commits. Kernel 0.1 runs no jobs yet: it rejects. */
  enqueue(job: string, input?: object): Promise<void>
}
