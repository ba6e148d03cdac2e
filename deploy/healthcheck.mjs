// Exit status 0 while the neuron in this container is alive; 1 with the reason otherwise. An argument asks for another path than
// /livez. The port is TARGON_METRICS_PORT, else the default of a miner, validator or hub: set the variable rather than the flag.
import process from 'node:process'

const DEADLINE_MS = 4000
const [path = '/livez'] = process.argv.slice(2)
const { TARGON_METRICS_PORT: port } = process.env
const ports = port ? [port] : ['9100', '9101', '9102']

async function ask(one) {
  const response = await fetch(`http://127.0.0.1:${one}${path}`, { signal: AbortSignal.timeout(DEADLINE_MS) })
  const text = (await response.text()).slice(0, 500)
  if (!response.ok) throw new Error(`status ${response.status}: ${text}`)
}

const results = await Promise.allSettled(ports.map(ask))
if (results.every(({ status }) => status === 'rejected')) {
  results.forEach(({ reason }, index) => {
    console.error(`127.0.0.1:${ports[index]}${path}: ${reason.cause?.message ?? reason.message}`)
  })
  process.exitCode = 1
}
