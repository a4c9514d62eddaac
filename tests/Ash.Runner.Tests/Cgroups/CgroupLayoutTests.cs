using Ash.Runner.Cgroups;

namespace Ash.Runner.Tests.Cgroups;

public sealed class CgroupLayoutTests
{
    private const string Hybrid = """
        24 1 0:6 / /dev rw - devtmpfs devtmpfs rw
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
        39 31 0:36 / /sys/fs/cgroup/pids rw,relatime shared:4 - cgroup cgroup rw,pids
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """;

    [Fact]
    public void Controllers_AreTakenFromV1_WhereV2OffersNone()
    {
        var layout = Choose(Hybrid, "hugetlb")!;

        Assert.Equal("/sys/fs/cgroup/memory", layout.Memory.MountPoint);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct", layout.Cpu.MountPoint);
        Assert.Equal("/sys/fs/cgroup/freezer", layout.Kill!.MountPoint);
        Assert.Equal(4, layout.SandboxFolders("abc").Count);
        Assert.Contains("/sys/fs/cgroup/pids/ash-server/abc", layout.SandboxFolders("abc"));
    }

    [Fact]
    public void Controllers_AreTakenFromV2_WhereItOffersThem()
    {
        var layout = Choose(Hybrid, "cpu memory pids\n")!;

        Assert.True(layout.Kill!.IsV2);
        Assert.Equal(["/sys/fs/cgroup/unified/ash-server/abc"], layout.SandboxFolders("abc"));
    }

    [Fact]
    public void EachController_IsChosenByItself()
    {
        var layout = Choose(Hybrid, "memory")!;

        Assert.True(layout.Memory.IsV2);
        Assert.False(layout.Pids.IsV2);
    }

    [Fact]
    public void V2WithoutControllers_ServesTheKill_WhereNoFreezerDoes()
    {
        var layout = Choose(Hybrid.Replace("freezer", "hugetlb"), "hugetlb")!;

        Assert.Equal("/sys/fs/cgroup/unified", layout.Kill!.MountPoint);
    }

    [Fact]
    public void EveryMissingController_IsNamedWithItsRemedy()
    {
        var missing = new List<string>();

        var layout = CgroupLayout.Choose(CgroupHierarchy.Parse(Hybrid.Replace(" rw,relatime", " ro"), static _ => null), "server", missing);

        Assert.Null(layout);
        Assert.Equal(3, missing.Count);
        Assert.All(missing, line => Assert.Contains("ASH_ISOLATION=reduced", line));
    }

    private static CgroupLayout? Choose(string mounts, string? unifiedControllers) =>
        CgroupLayout.Choose(CgroupHierarchy.Parse(mounts, _ => unifiedControllers), "server", []);
}
