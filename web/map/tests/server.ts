// A server of one's own for a test: the real binary on a folder that goes with it, and what makes things happen there.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const BINARY = process.env['EMERGENCY_TIME'] ?? join(ROOT, 'target/debug/emergency-time');
const SECRET = 'a secret of the browser tests';
const REGION = 'us-west-2';

export interface Point {
  readonly longitude: number;
  readonly latitude: number;
}

/** A broadcast that was announced. */
export interface Announced {
  readonly id: string;
  readonly publishToken: string;
  readonly channelArn: string;
}

export class Server {
  readonly #processes: ChildProcess[] = [];

  private constructor(
    readonly url: string,
    readonly folder: string,
    process: ChildProcess,
  ) {
    this.#processes.push(process);
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'emergency-time-'));
    const child = spawn(BINARY, ['serve'], {
      cwd: ROOT,
      env: { ...process.env, DATA_DIR: folder, BIND: '127.0.0.1:0', WEBHOOK_SECRET: SECRET, LOG: 'warn', ...ports(), ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((found, fail) => {
      let said = '';
      child.once('exit', (code) => fail(new Error(`the server ended with ${code}: ${said}`)));
      child.stdout.on('data', (text: Buffer) => {
        said += text.toString();
        const at = /is at (http:\/\/\S+)/.exec(said)?.[1];
        if (at) {
          found(at);
        }
      });
    });
    return new Server(url, folder, child);
  }

  async stop(): Promise<void> {
    for (const process of this.#processes.reverse()) {
      if (process.exitCode === null && process.signalCode === null) {
        const gone = new Promise((done) => process.once('exit', done));
        process.kill('SIGTERM');
        await gone;
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Announces a broadcast and lets its provider say that the picture comes in. */
  async goLive(title: string, at: Point, category = 'FIRE'): Promise<Announced> {
    const query = `mutation($input: StartStreamInput!) { startStream(input: $input) {
      stream { id } publishToken ingest { channelArn } } }`;
    const { startStream } = await this.ask<{
      startStream: { stream: { id: string }; publishToken: string; ingest: { channelArn: string } };
    }>(query, { input: { title, category, position: at } });
    const { stream, publishToken, ingest } = startStream;
    const announced = { id: stream.id, publishToken, channelArn: ingest.channelArn };
    await this.tell(announced, 'Stream Start');
    return announced;
  }

  async move({ id, publishToken }: Announced, position: Point): Promise<void> {
    await this.ask('mutation($input: MoveStreamInput!) { moveStream(input: $input) { error { code } } }', {
      input: { id, publishToken, position },
    });
  }

  async end({ id, publishToken }: Announced): Promise<void> {
    await this.ask('mutation($input: StopStreamInput!) { stopStream(input: $input) { error { code } } }', {
      input: { id, publishToken },
    });
  }

  /** What Amazon IVS would say about a channel. */
  async tell({ channelArn }: Announced, event: string): Promise<void> {
    const answer = await fetch(`${this.url}/webhooks/ivs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-emergency-time-secret': SECRET },
      body: JSON.stringify({
        version: '0',
        id: randomUUID(),
        'detail-type': 'IVS Stream State Change',
        source: 'aws.ivs',
        account: '123456789012',
        time: new Date().toISOString(),
        region: REGION,
        resources: [channelArn],
        detail: { event_name: event, channel_name: 'test', stream_id: `st-${randomUUID()}` },
      }),
    });
    if (answer.status !== 202) {
      throw new Error(`the webhook answered ${answer.status}: ${await answer.text()}`);
    }
  }

  /** Adds public cameras that give stills. */
  cameras(points: readonly Point[], name: string): void {
    const file = join(this.folder, `${name}.geojson`);
    const features = points.map(({ longitude, latitude }, index) => ({
      type: 'Feature',
      id: `${name}-${index}`,
      geometry: { type: 'Point', coordinates: [longitude, latitude] },
      properties: { name: `${name} ${index}`, kind: 'IMAGE', url: `${this.url}/icon-192.png` },
    }));
    writeFileSync(file, JSON.stringify({ type: 'FeatureCollection', features }));
    execFileSync(BINARY, ['import', file, '--source', name], { cwd: ROOT, env: { ...process.env, DATA_DIR: this.folder }, stdio: 'pipe' });
  }

  /** Plays a film as a broadcast, in real time. */
  broadcast(title: string, at: Point): void {
    const place = `${at.longitude},${at.latitude}`;
    const child = spawn(BINARY, ['simulate', clip(), '--server', this.url, '--at', place, '--title', title, '--quiet', '--no-wait'], {
      cwd: ROOT,
      env: { ...process.env, DATA_DIR: this.folder, WEBHOOK_SECRET: SECRET },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#processes.push(child);
  }

  async ask<T>(query: string, variables: object): Promise<T> {
    const answer = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await answer.json()) as { data: T; errors?: unknown };
    if (errors) {
      throw new Error(JSON.stringify(errors));
    }
    return data;
  }
}

/** Ports that the system chooses, so that several servers stand side by side. */
function ports(): Record<string, string> {
  return { RTMP_BIND: '127.0.0.1:0', WHIP_UDP_BIND: '127.0.0.1:0' };
}

/** A film of eight seconds, drawn by ffmpeg, once. */
function clip(): string {
  const file = join(ROOT, 'target/browser-clip.mp4');
  if (!existsSync(file)) {
    mkdirSync(join(ROOT, 'target'), { recursive: true });
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=15:d=8', '-f', 'lavfi', '-i', 'sine=440:d=8'];
    const codecs = ['-c:v', 'libx264', '-g', '30', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...picture, ...codecs, file]);
  }
  return file;
}
