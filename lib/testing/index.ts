export { TestClient, TestStream } from './client.js'
export type { OpenOptions, SSEOptions, SSEResult, TestClientOptions } from './client.js'
export type { ReceivedEvent } from './parser.js'
