using System.Runtime.InteropServices;
using Ash.Runner.Sandboxes;

namespace Ash.Runner.Seccomp;

/// <summary>Compiles <see cref="SyscallPolicy"/> into the program that bubblewrap installs (<c>--seccomp</c>).</summary>
internal static class SeccompFilter
{
    private const int NotPermitted = 1;
    private const int NotImplemented = 38;
    private const uint BinaryTree = 2;

    /// <summary>Writes the filter to <paramref name="path"/>, replacing what is there in one step.</summary>
    /// <exception cref="SandboxException">libseccomp refuses it.</exception>
    public static void Write(string path)
    {
        var draft = $"{path}.{Environment.ProcessId}";
        using (var file = File.OpenHandle(draft, FileMode.Create, FileAccess.Write))
        {
            var filter = Libseccomp.Create(Libseccomp.Error(NotPermitted));
            try
            {
                Fill(filter);
                Check(Libseccomp.Export(filter, file), "seccomp_export_bpf");
            }
            finally
            {
                Libseccomp.Release(filter);
            }
        }

        File.Move(draft, path, overwrite: true);
    }

    private static void Fill(nint filter)
    {
        // The 32-bit and x32 tables: refused like everything else that is not listed, rather than deadly.
        Check(
            Libseccomp.SetAttribute(filter, Libseccomp.Attribute.BadArchitectureAction, Libseccomp.Error(NotPermitted)),
            "the action for other tables");
        Check(Libseccomp.SetAttribute(filter, Libseccomp.Attribute.Optimize, BinaryTree), "the order of the filter");

        var allowed = new HashSet<int>();
        foreach (var (name, number) in SyscallPolicy.Allowed)
        {
            var call = number ?? Resolve(name);
            allowed.Add(call);
            Add(filter, Libseccomp.Allow, call, name, []);
        }

        foreach (var call in SyscallPolicy.Conditional)
        {
            Add(filter, Libseccomp.Allow, Resolve(call.Name), call.Name, call.Conditions);
        }

        var unknown = Libseccomp.Error(NotImplemented);
        foreach (var name in SyscallPolicy.Unknown)
        {
            Add(filter, unknown, Resolve(name), name, []);
        }

        foreach (var call in Enumerable.Range(
            SyscallPolicy.FirstNewNumber, SyscallPolicy.LastNewNumber - SyscallPolicy.FirstNewNumber + 1))
        {
            if (!allowed.Contains(call))
            {
                Add(filter, unknown, call, $"call {call}", []);
            }
        }
    }

    private static int Resolve(string name) =>
        Libseccomp.NumberOf(name) is var number and not Libseccomp.UnknownCall
            ? number
            : throw new SandboxException(
                $"seccomp: the installed libseccomp does not know the system call `{name}`. Install libseccomp 2.5 or later.");

    private static void Add(
        nint filter, uint action, int call, string name, IReadOnlyList<SyscallPolicy.Condition> conditions)
    {
        var comparisons = conditions
            .Select(condition => new Libseccomp.ArgumentComparison
            {
                Argument = (uint)condition.Argument,
                Operator = (int)condition.Comparison,
                First = condition.Mask,
                Second = condition.Value,
            })
            .ToArray();
        Check(Libseccomp.AddRule(filter, action, call, (uint)comparisons.Length, comparisons), name);
    }

    private static void Check(int result, string what)
    {
        if (result != 0)
        {
            throw new SandboxException($"seccomp: libseccomp refused {what}: {Marshal.GetPInvokeErrorMessage(-result)}.");
        }
    }
}
