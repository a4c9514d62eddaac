using Ash.Simulator.Requests;
using Ash.Simulator.Scripts;

namespace Ash.Simulator;

/// <summary>The scripted model: what it received, what it will answer, and the gates that hold its replies.</summary>
/// <remarks>All members may be called from any thread.</remarks>
public sealed class ModelSimulator
{
    /// <exception cref="ScriptException">The script file is not a script.</exception>
    /// <exception cref="IOException">The script file cannot be read, or the log directory cannot be made.</exception>
    public ModelSimulator(SimulatorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        Log = new(options.KeptRequests, options.KeptBytes);
        Files = options.LogDirectory is { } directory ? new(directory) : null;
        Playbook = new(options.ScriptFile is { } file ? ReadScript(file) : Script.Empty);
    }

    /// <summary>Raised as each request ends, on its thread.</summary>
    internal event Action<RecordedRequest>? Answered;

    /// <summary>The requests that are still remembered, oldest first.</summary>
    public IReadOnlyList<RecordedRequest> Requests => Log.Snapshot();

    internal SimulatorOptions Options { get; }

    internal RequestLog Log { get; }

    internal RequestFiles? Files { get; }

    internal Playbook Playbook { get; }

    internal Gates Gates { get; } = new();

    /// <summary>
    /// The first remembered request that fits, as soon as there is one. Asked again whenever a request arrives, its step is
    /// chosen or it ends: wait for <c>r => r.Outcome is not null</c> to see the end of one.
    /// </summary>
    public Task<RecordedRequest> WaitForRequestAsync(Func<RecordedRequest, bool> fits, CancellationToken cancellationToken) =>
        Log.WaitAsync(fits, cancellationToken);

    /// <summary>Replaces the script and forgets how often its failing steps were asked for.</summary>
    /// <exception cref="ScriptException"><paramref name="json"/> is not a script.</exception>
    public void SetScript(string json) => Playbook.Replace(Script.Parse(json));

    /// <inheritdoc cref="SetScript(string)"/>
    public void SetScript(Script script)
    {
        ArgumentNullException.ThrowIfNull(script);
        Playbook.Replace(script);
    }

    /// <summary>Adds steps that answer the next requests, once each and before any script.</summary>
    public void Queue(params ReadOnlySpan<ScriptStep> steps) => Playbook.Enqueue(steps.ToArray());

    /// <summary>Adds a step, or a list of them, written as in a script.</summary>
    /// <exception cref="ScriptException"><paramref name="json"/> is not a step.</exception>
    public void Queue(string json) => Playbook.Enqueue(Script.ParseSteps(json));

    /// <summary>Opens a gate: lets go what it holds, and all that comes to it until <see cref="Reset"/>.</summary>
    /// <returns>How many replies it held.</returns>
    public int Release(string gate) => Gates.Release(gate);

    /// <summary>Completes once a reply is held at the gate; what came before in the stream has been sent.</summary>
    public Task WaitUntilHeldAsync(string gate, CancellationToken cancellationToken) => Gates.WaitUntilHeldAsync(gate, cancellationToken);

    /// <summary>Forgets requests, queue, attempts and gates; lets go what is held. The script stays.</summary>
    public void Reset()
    {
        Log.Clear();
        Playbook.Reset();
        Gates.Reset();
    }

    internal void SayAnswered(RecordedRequest request)
    {
        Log.SignalChange();
        Answered?.Invoke(request);
    }

    private static Script ReadScript(string file)
    {
        try
        {
            return Script.Parse(File.ReadAllText(file));
        }
        catch (ScriptException invalid)
        {
            throw new ScriptException($"{file}: {invalid.Message}", invalid);
        }
    }
}
