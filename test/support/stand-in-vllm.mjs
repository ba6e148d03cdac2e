// Entry point of the stand-in for the image vllm/vllm-openai, with vLLM's arguments. A model of targon-dev/ is a development
// engine, built from this checkout; any other is a server that answers /health, and one named …hung never listens.
import { createServer } from 'node:http'

const argument = (name) => process.argv[process.argv.indexOf(name) + 1]
const model = argument('--model')
const port = Number(argument('--port'))
process.stdout.write('Loading safetensors checkpoint shards:  25% Completed | 1/4\n')
if (model.endsWith('crash')) throw new Error('torch.cuda.OutOfMemoryError: CUDA out of memory.')
if (model.endsWith('hung')) setInterval(() => {}, 1_000)
else if (model.startsWith('targon-dev/')) {
  const { startDevelopmentEngine } = await import('/targon/dist/localnet/engine/index.js')
  const { systemClock } = await import('/targon/dist/kernel/clock.js')
  await startDevelopmentEngine({ port, host: '0.0.0.0', models: [model] }, { clock: systemClock })
} else createServer((_, response) => response.end()).listen(port, '0.0.0.0')
process.on('SIGTERM', () => process.exit(0))
