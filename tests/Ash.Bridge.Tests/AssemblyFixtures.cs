using System.Runtime.Versioning;
using Ash.Bridge.Tests.Sandboxes;

[assembly: AssemblyFixture(typeof(PublishedBridge))]
[assembly: SupportedOSPlatform("linux")]
