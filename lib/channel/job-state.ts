// The end states of a job.

/** The end of a job: its source ended by itself, it failed, or it was stopped. */
export type JobState = 'running' | 'ended' | 'failed' | 'stopped'
