import {
  askPassword,
  BaseCommand,
  boundHeapGrowth,
  flagsOf,
  type Invocation,
  ownSurroundings,
  runRole,
  type SurroundingNetwork,
} from '../../cli/index.js'
import { isGiven, passwordVariables } from '../../config/index.js'
import type { ValidatorTools } from '../../roles/index.js'

export default class ValidatorStart extends BaseCommand {
  static override summary =
    'Query miners, verify every answer, score miners by speed and set weights on chain'

  static override description =
    'Requires a registered hotkey with a validator permit and a reference engine for each model: any stock vLLM server (--engine.endpoints), or Docker containers on this host (--engine.mode docker, the default if no endpoint is given and Docker and nvidia-smi are present).'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --wallet.name mine --engine.endpoints NousResearch/Meta-Llama-3.1-8B-Instruct=http://127.0.0.1:8000/v1',
    '<%= config.bin %> <%= command.id %> --mock',
  ]

  static override usage = 'validator start [FLAGS]'

  static override flags = flagsOf('validator')

  async run(): Promise<unknown> {
    const loadNetwork = async () => (await import('../../localnet/index.js')).startNetworkAround
    return this.runNeuron('validator', loadNetwork, (...given) => this.#serve(...given))
  }

  async #serve(invocation: Invocation<'validator'>, network?: SurroundingNetwork): Promise<unknown> {
    boundHeapGrowth()
    const { settings, resolved, warnings, onWarned } = invocation
    const { isUnattended, loadNeuronHotkey, openSelfUpdate, openValidatorTools } = await import(
      '../../roles/index.js'
    )
    const signer = await loadNeuronHotkey(settings, { variables: passwordVariables(), prompt: askPassword })
    const { epochAt, startValidator, startWatchdog } = await import('../../roles/validator/index.js')
    const { createMetrics } = await import('../../telemetry/index.js')
    return runRole({
      role: 'validator',
      settings,
      hotkey: signer.address,
      warnings,
      onWarned,
      ...(network ? { death: network.death } : {}),
      start: async (context) => {
        const surroundings = ownSurroundings()
        const metrics = createMetrics('validator', {
          ...{ droppedLines: context.droppedLines, ownProcess: true },
          genAi: settings['metrics.genai'],
        })
        const onCheck = (result: string) => metrics.updateChecks.inc({ result })
        const updates = openSelfUpdate(settings, signer.address, surroundings, { ...context, onCheck })
        const isWatched = settings.heartbeat || context.keepAlive !== undefined
        const watchdog = isWatched ? startWatchdog(context) : undefined
        const isNetworkGiven = isGiven(resolved, 'subtensor.network')
        const searchPath = surroundings.env.PATH ?? ''
        let tools: ValidatorTools | undefined
        const close = async () => {
          await tools?.close()
          await watchdog?.close()
        }
        try {
          tools = await openValidatorTools(settings, signer, isNetworkGiven, searchPath, context)
          const { subtensor } = tools
          const weightsWindow = () => {
            const block = subtensor.head().number
            return { block, nextWeightsBlock: epochAt(block, settings['epoch-length']).nextBlock }
          }
          const running = await startValidator(settings, {
            ...context,
            ...tools,
            ...(isUnattended('validator', settings)
              ? { updates, afterWeights: updates.afterWeights(weightsWindow) }
              : {}),
            signer,
            metrics,
            watchdog,
          })
          updates.confirmWhen(running.healthy)
          return { ...running, done: running.done.finally(close) }
        } catch (error) {
          await close()
          throw error
        }
      },
    })
  }
}
