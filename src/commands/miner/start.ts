import {
  askPassword,
  BaseCommand,
  flagsOf,
  type Invocation,
  ownSurroundings,
  runRole,
  type SurroundingNetwork,
  watchReload,
} from '../../cli/index.js'
import { isGiven, passwordVariables } from '../../config/index.js'

export default class MinerStart extends BaseCommand {
  static override summary = 'Serve signed inference requests from OpenAI-compatible model servers'

  static override description =
    'Listens for signed requests from validators, verifies the sender, and streams the responses of the model servers back unchanged. On SIGHUP, and when the config file or `.env` changes, it reloads the model servers and their keys.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --wallet.name mine --wallet.hotkey h1 --model-endpoint http://127.0.0.1:8000/v1',
    '<%= config.bin %> <%= command.id %> --mock',
  ]

  static override usage = 'miner start [FLAGS]'

  static override flags = flagsOf('miner')

  async run(): Promise<unknown> {
    const loadNetwork = async () => (await import('../../localnet/index.js')).startNetworkAround
    return this.runNeuron('miner', loadNetwork, (...given) => this.#serve(...given))
  }

  async #serve(invocation: Invocation<'miner'>, network?: SurroundingNetwork): Promise<unknown> {
    const { settings, resolved, warnings, onWarned } = invocation
    const { connectNeuronChain, isUnattended, loadNeuronHotkey, openSelfUpdate, ROLE_FIRST_CONNECT_MS } =
      await import('../../roles/index.js')
    const signer = await loadNeuronHotkey(settings, { variables: passwordVariables(), prompt: askPassword })
    const { startMiner } = await import('../../roles/miner/index.js')
    const { createMetrics } = await import('../../telemetry/index.js')
    return runRole({
      role: 'miner',
      settings,
      hotkey: signer.address,
      warnings,
      onWarned,
      ...(network ? { death: network.death } : {}),
      start: async (context) => {
        const metrics = createMetrics('miner', {
          ...{ droppedLines: context.droppedLines, ownProcess: true },
          genAi: settings['metrics.genai'],
        })
        const onCheck = (result: string) => metrics.updateChecks.inc({ result })
        const updates = openSelfUpdate(settings, signer.address, ownSurroundings(), { ...context, onCheck })
        const readSettings = async () => {
          const { settings: reloaded } = await this.readInvocation('miner', network?.arguments)
          context.hide(reloaded)
          return reloaded
        }
        // Before connecting, which may take minutes, so that changes made meanwhile are not missed.
        const reload = watchReload({ ...context, resolve: readSettings, files: invocation.files })
        const patient = { ...context, firstConnectMs: ROLE_FIRST_CONNECT_MS }
        const subtensor = await connectNeuronChain(settings, isGiven(resolved, 'subtensor.network'), patient)
        try {
          const running = await startMiner(settings, {
            ...{ ...context, signer, subtensor, reload, metrics },
            ...(isUnattended('miner', settings) ? { updates } : {}),
          })
          if (isUnattended('miner', settings)) updates.checkHourly(running.unavailableReason)
          updates.confirmWhen(running.healthy)
          return { ...running, done: running.done.finally(() => subtensor.close()) }
        } catch (error) {
          await subtensor.close()
          throw error
        }
      },
    })
  }
}
