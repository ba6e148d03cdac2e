import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'

export interface RenamedEngine {
  /** Base URL without `/v1`. */
  readonly url: string
  close(): Promise<void>
}

/** A server that offers one model of an engine under the name of another: what a wrong entry in a list of engines leads to. */
export async function renameModel(engineUrl: string, model: string, name: string): Promise<RenamedEngine> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8').replaceAll(name, model)
    const answer = await request(engineUrl + (incoming.url ?? '/').replaceAll(name, model), {
      method: incoming.method === 'POST' ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json', authorization: incoming.headers.authorization },
      ...(body === '' ? {} : { body }),
    })
    const text = (await answer.body.text()).replaceAll(model, name)
    const type = answer.headers['content-type']
    outgoing.writeHead(answer.statusCode, { 'content-type': String(type ?? 'application/json') }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
