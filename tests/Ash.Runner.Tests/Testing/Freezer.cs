using System.Globalization;

namespace Ash.Runner.Tests.Testing;

/// <summary>Holds a process so that not even SIGKILL ends it, as a disk that does not answer would.</summary>
internal sealed class Freezer : IDisposable
{
    private const string Hierarchy = "/sys/fs/cgroup/freezer";

    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Hierarchy, $"rt-{Guid.NewGuid():N}")).FullName;
    private bool _isThawed;

    public static bool IsAvailable => File.Exists(Path.Combine(Hierarchy, "cgroup.procs"));

    public void Hold(int pid)
    {
        File.WriteAllText(Path.Combine(_folder, "cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText(Path.Combine(_folder, "freezer.state"), "FROZEN");
        Assert.True(SpinWait.SpinUntil(
            () => File.ReadAllText(Path.Combine(_folder, "freezer.state")) == "FROZEN\n", TimeSpan.FromSeconds(10)));
    }

    public void Thaw()
    {
        _isThawed = true;
        File.WriteAllText(Path.Combine(_folder, "freezer.state"), "THAWED");
    }

    public void Dispose()
    {
        if (!_isThawed)
        {
            Thaw();
        }

        // Whom it held is dead or about to be; an ended process leaves by itself.
        Assert.True(SpinWait.SpinUntil(TryRemove, TimeSpan.FromSeconds(10)));
    }

    private bool TryRemove()
    {
        try
        {
            Directory.Delete(_folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
