import { type Answering, type StreamServer, startStreamServer } from './stream-server.js'

/** A miner that lists these models and answers requests as the test says. */
export async function startListingMiner(
  models: readonly string[],
  answer: Answering,
): Promise<StreamServer & { readonly port: number }> {
  const server = await startStreamServer((response, request) => {
    if (request.path === '/models') response.end(JSON.stringify(models))
    else answer(response, request)
  })
  return Object.assign(server, { port: Number(new URL(server.url).port) })
}
