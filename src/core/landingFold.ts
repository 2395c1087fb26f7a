import type { AirlockEvent } from './events';
import type { LandingState, TaskState } from './liveState';

const noneYet = { from: null, commit: null, checks: [], code: '', reason: '', files: [] };

/** The part of the fold that follows a result on its way out. */
export function foldLanding(task: TaskState, event: AirlockEvent): void {
  switch (event.kind) {
    case 'landing.waiting':
      task.landingWaits = true;
      return;
    case 'landing.dropped':
      delete task.landingWaits;
      return;
    case 'landing.started': {
      delete task.landingWaits;
      const { runId, ref, only, resolved } = event;
      const conflict = resolved.length > 0 ? (task.landing?.conflict ?? null) : null;
      task.landing = { ...noneYet, phase: 'merging', runId, ref, only, conflict, statusBefore: task.status };
      return;
    }
    case 'landing.checked':
      change(task, (landing) => ({ ...landing, checks: [...landing.checks, event.result] }));
      return;
    case 'landing.moving': {
      const { ref, from, commit } = event;
      change(task, (landing) => ({ ...landing, phase: 'moving', ref, from, commit }));
      return;
    }
    case 'landing.failed': {
      // What the user gave up is as if it had never been asked for.
      if (event.code === 'landing-cancelled' && !task.landing?.conflict) task.landing = null;
      else change(task, (landing) => failed(landing, event));
      return;
    }
    case 'task.landed':
      change(task, (landing) => ({ ...landing, phase: 'landed', commit: event.commit }));
      return;
    case 'task.unlanded':
    case 'task.requeued':
      task.landing = null;
      delete task.landingWaits;
      return;
    default:
      return;
  }
}

function failed(landing: LandingState, event: Extract<AirlockEvent, { kind: 'landing.failed' }>): LandingState {
  const { reason, files, target, conflicts } = event;
  // With a conflict that the user was resolving, it is what it was before that was let out.
  const code = event.code === 'landing-cancelled' ? 'landing-conflict' : event.code;
  const found = target !== null && conflicts.length > 0 ? { target, paths: conflicts } : null;
  // A new conflict, even one that is not kept, takes the place of the one before it.
  const isOther = event.code === 'landing-conflict' || event.code === 'landing-outdated';
  const conflict = isOther ? found : landing.conflict;
  const known = files.length === 0 && conflict ? conflict.paths.map(({ path }) => path) : files;
  return { ...landing, phase: 'failed', code, reason, files: known, conflict };
}

function change(task: TaskState, to: (landing: LandingState) => LandingState): void {
  if (task.landing) task.landing = to(task.landing);
}
