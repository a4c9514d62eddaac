using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Seccomp;

/// <summary>The few functions of libseccomp 2.5 that build a filter and write it out.</summary>
internal static partial class Libseccomp
{
    public const uint Allow = 0x7fff_0000;
    public const int UnknownCall = -1;

    private const string Library = "libseccomp.so.2";

    /// <summary>Where it is installed.</summary>
    public static bool IsInstalled => NativeLibrary.TryLoad(Library, typeof(Libseccomp).Assembly, null, out _);

    public static uint Error(int number) => 0x0005_0000u | (uint)number;

    [LibraryImport(Library, EntryPoint = "seccomp_init")]
    public static partial nint Create(uint defaultAction);

    [LibraryImport(Library, EntryPoint = "seccomp_release")]
    public static partial void Release(nint filter);

    [LibraryImport(Library, EntryPoint = "seccomp_attr_set")]
    public static partial int SetAttribute(nint filter, Attribute attribute, uint value);

    [LibraryImport(Library, EntryPoint = "seccomp_syscall_resolve_name", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int NumberOf(string name);

    [LibraryImport(Library, EntryPoint = "seccomp_rule_add_array")]
    public static partial int AddRule(nint filter, uint action, int call, uint count, ReadOnlySpan<ArgumentComparison> comparisons);

    [LibraryImport(Library, EntryPoint = "seccomp_export_bpf")]
    public static partial int Export(nint filter, SafeFileHandle file);

    /// <summary><c>enum scmp_filter_attr</c>.</summary>
    internal enum Attribute
    {
        BadArchitectureAction = 2,
        Optimize = 8,
    }

    /// <summary><c>struct scmp_arg_cmp</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ArgumentComparison
    {
        public uint Argument;
        public int Operator;
        public ulong First;
        public ulong Second;
    }
}
